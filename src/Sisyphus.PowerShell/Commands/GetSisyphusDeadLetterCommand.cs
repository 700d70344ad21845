using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusDeadLetter")]
[OutputType(typeof(DeadLetter))]
public sealed class GetSisyphusDeadLetterCommand : QueueCommand
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    protected override void ProcessRecord()
    {
        HashSet<string> missing = [.. Id];
        foreach (var letter in EnumerateOrEnd(Queue.GetDeadLettersAsync(Id, StopToken)))
        {
            missing.Remove(letter.Id);
            WriteObject(letter);
        }
        foreach (var id in missing)
            WriteError(ErrorRecords.NoDeadLetter(id));
    }
}
