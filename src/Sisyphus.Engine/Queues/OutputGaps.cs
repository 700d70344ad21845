namespace Sisyphus.Engine.Queues;

/// <summary>A reader's view of the lines that come in: in order, each once, and what is missing counted.</summary>
internal sealed class OutputGaps
{
    private readonly Dictionary<string, (long Source, long Next)> _read = [];

    public IEnumerable<OutputLine> Read(OutputBatch batch)
    {
        var (source, next) = _read.GetValueOrDefault(batch.Task);
        if (source != batch.Source)
            next = batch.First - batch.Dropped;
        for (var i = 0; i < batch.Lines.Length; i++)
        {
            var number = batch.First + i;
            if (number < next)
                continue;
            var text = batch.Lines[i];
            var dropped = number - next;
            next = number + 1;
            _read[batch.Task] = (batch.Source, next);
            yield return new OutputLine(batch.Task, text.Time, text.Stream, text.Line, dropped);
        }
    }
}
