using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using Microsoft.PowerShell.Commands.Internal.Format;

namespace Sisyphus.Host;

/// <summary>
/// The few things that pwsh and its modules reach as friends of the engine, and we only by reflection. They have had
/// these names since PowerShell 3; a test of the host runs each.
/// </summary>
internal static class EngineInternals
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    private const string Formatting = "Microsoft.PowerShell.Commands.Internal.Format.";
    private static readonly Assembly Engine = typeof(PSObject).Assembly;

    /// <summary>The exception by which a command tells those before it that it needs no more input.</summary>
    public static Exception StopUpstream(Cmdlet command) =>
        (Exception)Activator.CreateInstance(Find("System.Management.Automation.StopUpstreamCommandsException"), Any, null, [command], null)!;

    /// <summary>Makes a formatting command lay its input out as a <c>Table</c> or <c>List</c>.</summary>
    public static void UseShape(FrontEndCommandBase command, string shape)
    {
        var shapes = Find(Formatting + "FormatShape");
        Implement(command, Activator.CreateInstance(Find(Formatting + "InnerFormatShapeCommand"), Any, null, [Enum.Parse(shapes, shape)], null)!);
    }

    /// <summary>Makes a formatting command write what it lays out to a writer.</summary>
    public static void UseWriter(FrontEndCommandBase command, TextWriter writer, int columns)
    {
        var lines = Activator.CreateInstance(Find(Formatting + "TextWriterLineOutput"), Any, null, [writer, columns], null);
        var output = Activator.CreateInstance(Find(Formatting + "OutputManagerInner"), Any, null, null, null)!;
        output.GetType().GetProperty("LineOutput", Any)!.SetValue(output, lines);
        Implement(command, output);
    }

    /// <summary>Makes an error point at the script that raised it, not at the command it was raised with.</summary>
    public static void SetInvocation(ErrorRecord error, InvocationInfo invocation)
    {
        typeof(ErrorRecord).GetMethod("SetInvocationInfo", Any)!.Invoke(error, [invocation]);
        typeof(ErrorRecord).GetProperty("PreserveInvocationInfoOnce", Any)!.SetValue(error, true);
    }

    /// <summary>Marks an error record as one to show as an error, not as somebody's output.</summary>
    public static void MarkAsError(PSObject record)
    {
        var stream = typeof(PSObject).GetProperty("WriteStream", Any)!;
        stream.SetValue(record, Enum.Parse(stream.PropertyType, "Error"));
    }

    /// <summary>
    /// Lets <c>exit</c> of the next script end the session with its code, as under <c>pwsh -File</c>; otherwise it would end the
    /// script alone and leave its code in a variable that native commands set as well.
    /// </summary>
    public static void LetExitEndTheSession(Runspace runspace)
    {
        var context = typeof(Runspace).GetProperty("ExecutionContext", Any)!.GetValue(runspace)!;
        context.GetType().GetProperty("ScriptCommandProcessorShouldRethrowExit", Any)!.SetValue(context, true);
    }

    private static void Implement(FrontEndCommandBase command, object implementation) =>
        typeof(FrontEndCommandBase).GetField("implementation", Any)!.SetValue(command, implementation);

    private static Type Find(string name) => Engine.GetType(name, throwOnError: true)!;
}
