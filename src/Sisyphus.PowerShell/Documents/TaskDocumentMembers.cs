using System.Management.Automation;
using System.Text;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Documents;

/// <summary>Members that <c>Sisyphus.Types.ps1xml</c> adds to documents; the signature is PowerShell's for a code property.</summary>
public static class TaskDocumentMembers
{
    public static string Json(PSObject instance) =>
        instance?.BaseObject is TaskDocument document ? Encoding.UTF8.GetString(TaskDocumentWriter.Write(document)) : "";
}
