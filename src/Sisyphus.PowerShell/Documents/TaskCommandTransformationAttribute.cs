using System.Management.Automation;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Documents;

/// <summary>Reads <c>-Command</c>: a flat list of words is one command; a list of lists or hashtables is several.</summary>
/// <remarks>Words mixed with lists are refused. <c>-Command sort, $files</c> looks like a flat list and is not; taking it for two commands would run something else than was meant.</remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TaskCommandTransformationAttribute : ArgumentTransformationAttribute
{
    private const string Forms = "One command is a flat list of words (-Command sort, -n, /in/a); several are lists or hashtables " +
        "(-Command @{command = 'sort', '-n', '/in/a'; stdout = '/tmp/b'}, @{command = 'wc', '/tmp/b'}).";

    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var elements = PowerShellValue.Elements(inputData)?.ToArray() ?? [inputData];
        if (elements.Length == 0)
            throw new ArgumentTransformationMetadataException("The command is empty. " + Forms);
        var structured = elements.Count(IsStructured);
        if (structured == 0)
            return new[] { new TaskCommand(Words(elements)) };
        if (structured < elements.Length)
            throw new ArgumentTransformationMetadataException("The command mixes words with lists or hashtables. " + Forms);
        return elements.Select(ReadCommand).ToArray();
    }

    private static bool IsStructured(object? element) =>
        PowerShellValue.Unwrap(element) is TaskCommand || PowerShellValue.Entries(element) is not null || PowerShellValue.Elements(element) is not null;

    private static TaskCommand ReadCommand(object? element)
    {
        if (PowerShellValue.Unwrap(element) is TaskCommand command)
            return command;
        if (PowerShellValue.Elements(element) is { } words)
            return new TaskCommand(Words(words));
        var result = new TaskCommand([]);
        foreach (var (key, value) in PowerShellValue.Entries(element)!)
        {
            result = key.ToUpperInvariant() switch
            {
                "COMMAND" or "ARGUMENTS" => result with { Arguments = Words(PowerShellValue.Elements(value) ?? [value]) },
                "STDIN" or "STANDARDINPUT" => result with { StandardInput = Path(value) },
                "STDOUT" or "STANDARDOUTPUT" => result with { StandardOutput = Path(value) },
                "STDERR" or "STANDARDERROR" => result with { StandardError = Path(value) },
                "IGNOREERROR" => result with { IgnoreError = LanguagePrimitives.IsTrue(value) },
                _ => throw new ArgumentTransformationMetadataException($"A command has no key \"{key}\"; it has command, stdin, stdout, stderr and ignoreError."),
            };
        }
        return result;
    }

    private static string? Path(object? value) => value is null ? null : PowerShellValue.Text(value);

    private static string[] Words(IEnumerable<object?> elements) => [.. elements.Select(Word)];

    private static string Word(object? element) => PowerShellValue.Unwrap(element) switch
    {
        null => throw new ArgumentTransformationMetadataException("A word of the command is null; an empty argument is ''."),
        _ when IsStructured(element) => throw new ArgumentTransformationMetadataException("A word of the command is itself a list. " + Forms),
        _ => PowerShellValue.Text(element),
    };
}
