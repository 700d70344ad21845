using System.Management.Automation;
using System.Text;

namespace Sisyphus.Host;

/// <summary>
/// The running activities, a line each and children beneath their parent, kept below the text on a terminal. Nothing is drawn
/// where the output is no terminal.
/// </summary>
internal sealed class ProgressPane : IDisposable
{
    private static readonly TimeSpan Throttle = TimeSpan.FromMilliseconds(100);
    private const int BarWidth = 20;
    private const int MaximumLines = 10;

    private readonly SortedDictionary<(long Source, int Id), ProgressRecord> _records = [];
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly Screen _screen;
    private readonly ITimer _redraw;
    private long _lastDrawn;
    private int _linesOnScreen;

    public ProgressPane(Screen screen)
    {
        _screen = screen;
        _redraw = _clock.CreateTimer(_ => _screen.Update(EraseLocked), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _redraw.Dispose();

    public void Report(long source, ProgressRecord record)
    {
        if (!_screen.IsTerminal)
            return;
        _screen.Update(() =>
        {
            var completed = record.RecordType == ProgressRecordType.Completed;
            if (completed)
                Remove(source, record.ActivityId);
            else
                _records[(source, record.ActivityId)] = record;
            if (completed || _clock.GetElapsedTime(_lastDrawn) >= Throttle)
                EraseLocked();
            else
                // A record that comes too soon is shown all the same: the next may be hours away.
                _redraw.Change(Throttle, Timeout.InfiniteTimeSpan);
        });
    }

    /// <summary>Takes the pane off the screen until the next report.</summary>
    public void Hide() => _screen.Update(
        () =>
        {
            _redraw.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            EraseLocked();
        },
        draw: false);

    /// <summary>Forgets every activity: the pipeline that reported them has ended.</summary>
    public void Clear() => _screen.Update(() =>
    {
        _records.Clear();
        EraseLocked();
    });

    /// <summary>For the screen, which holds the lock.</summary>
    public void EraseLocked()
    {
        if (_linesOnScreen > 0)
            Console.Out.Write($"\e[{_linesOnScreen}A\r\e[J");
        _linesOnScreen = 0;
    }

    /// <summary>For the screen, which holds the lock. Does nothing while the pane is on the screen.</summary>
    public void DrawLocked()
    {
        if (_linesOnScreen > 0 || _records.Count == 0)
            return;
        var text = new StringBuilder();
        foreach (var line in Lines().Take(MaximumLines))
        {
            text.Append(line).Append("\e[K\n");
            _linesOnScreen++;
        }

        _lastDrawn = _clock.GetTimestamp();
        Console.Out.Write(text);
    }

    private void Remove(long source, int id)
    {
        _records.Remove((source, id));
        foreach (var child in _records.Where(r => r.Key.Source == source && r.Value.ParentActivityId == id).Select(r => r.Key.Id).ToArray())
            Remove(source, child);
    }

    private IEnumerable<string> Lines() =>
        _records.Where(r => !_records.ContainsKey((r.Key.Source, r.Value.ParentActivityId))).SelectMany(r => Lines(r.Key.Source, r.Value, 0));

    private IEnumerable<string> Lines(long source, ProgressRecord record, int depth)
    {
        yield return Line(record, depth);
        var children = _records.Where(r => r.Key.Source == source && r.Value.ParentActivityId == record.ActivityId && r.Key.Id != record.ActivityId);
        foreach (var line in children.SelectMany(child => Lines(source, child.Value, depth + 1)))
            yield return line;
    }

    private string Line(ProgressRecord record, int depth)
    {
        var text = new StringBuilder().Append(' ', depth * 2).Append(record.Activity).Append(": ").Append(record.StatusDescription);
        if (!string.IsNullOrEmpty(record.CurrentOperation))
            text.Append(" (").Append(record.CurrentOperation).Append(')');
        if (record.SecondsRemaining >= 0)
            text.Append(" -").Append(TimeSpan.FromSeconds(record.SecondsRemaining).ToString("c"));
        var bar = Bar(record.PercentComplete);
        var room = Math.Max(_screen.Width - bar.Length - 2, 10);
        var line = text.Replace('\n', ' ').Replace('\r', ' ').ToString();
        if (line.Length > room)
            line = string.Concat(line.AsSpan(0, room - 1), "…");
        return _screen.HasColour ? $"{PSStyle.Instance.Progress.Style}{line}{bar}{PSStyle.Instance.Reset}" : line + bar;
    }

    private static string Bar(int percent)
    {
        if (percent < 0)
            return "";
        var filled = Math.Min(percent, 100) * BarWidth / 100;
        return $" [{new string('#', filled)}{new string(' ', BarWidth - filled)}] {Math.Min(percent, 100),3}%";
    }
}
