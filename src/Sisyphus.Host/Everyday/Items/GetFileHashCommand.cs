using System.Management.Automation;
using System.Security.Cryptography;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "FileHash", DefaultParameterSetName = "Path")]
public sealed class GetFileHashCommand : ItemCommand
{
    [Parameter(Position = 1)]
    [ValidateSet("SHA1", "SHA256", "SHA384", "SHA512", "MD5")]
    public string Algorithm { get; set; } = "SHA256";

    protected override void Process(string path)
    {
        foreach (var file in ResolveFiles(path))
        {
            using var stream = File.OpenRead(file);
            var hash = CryptographicOperations.HashData(new HashAlgorithmName(Algorithm.ToUpperInvariant()), stream);
            var result = new PSObject();
            result.Properties.Add(new PSNoteProperty("Algorithm", Algorithm.ToUpperInvariant()));
            result.Properties.Add(new PSNoteProperty("Hash", Convert.ToHexString(hash)));
            result.Properties.Add(new PSNoteProperty("Path", file));
            WriteObject(result);
        }
    }
}
