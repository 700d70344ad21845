using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusDeadLetter")]
[OutputType(typeof(DeadLetter))]
public sealed class GetSisyphusDeadLetterCommand : QueueCommand
{
    private readonly HashSet<string> _ids = [];
    private bool _isAsked;

    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    protected override void ProcessRecord()
    {
        _isAsked = true;
        _ids.UnionWith(Id);
    }

    // All at once: each look goes through all dead letters.
    protected override void EndProcessing()
    {
        // An empty pipeline asks for none, and no ids for all.
        if (!_isAsked)
            return;
        HashSet<string> missing = [.. _ids];
        foreach (var letter in EnumerateOrEnd(Queue.GetDeadLettersAsync([.. _ids], StopToken)))
        {
            missing.Remove(letter.Id);
            WriteObject(letter);
        }
        foreach (var id in missing)
            WriteError(ErrorRecords.NoDeadLetter(id));
    }
}
