using System.Globalization;
using System.Text;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>The log of one attempt: what a document's <c>&gt;&gt;</c> publishes. Each line is a time, a source and a text.</summary>
internal sealed class TaskLog : IDisposable
{
    private readonly StreamWriter? _writer;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();

    /// <param name="path">Null writes nothing: nobody asked for the log.</param>
    public TaskLog(string? path, TimeProvider time)
    {
        _time = time;
        Path = path;
        if (path is not null)
            _writer = new StreamWriter(path, new UTF8Encoding(false), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 64 * 1024 });
    }

    public string? Path { get; }

    public void Write(OutputStream stream, string line) => Write(stream == OutputStream.StandardOutput ? "stdout" : "stderr", line);

    public void Note(string text) => Write("sisyphus", text);

    /// <summary>The document, so that the log alone says what was asked for. The environment's values and what follows a URL's path may be secrets and stay out.</summary>
    public void Document(TaskDocument document)
    {
        if (_writer is null)
            return;
        var shown = document with
        {
            Environment = document.Environment.ToDictionary(pair => pair.Key, _ => "…"),
            Inputs = [.. document.Inputs.Select(input => input with { Remote = input.Remote.WithoutQuery() })],
        };
        Note(Encoding.UTF8.GetString(TaskDocumentWriter.Write(shown)));
    }

    public void Flush()
    {
        lock (_gate)
            _writer?.Flush();
    }

    public void Dispose()
    {
        lock (_gate)
            _writer?.Dispose();
    }

    private void Write(string source, string text)
    {
        if (_writer is null)
            return;
        // stdout and stderr arrive on one thread, notes on another.
        lock (_gate)
        {
            _writer.Write(_time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            _writer.Write(' ');
            _writer.Write(source);
            _writer.Write(' ');
            _writer.Write(text);
            _writer.Write('\n');
        }
    }
}
