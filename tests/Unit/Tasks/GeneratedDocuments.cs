using System.Text.Json;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Tests.Unit.Tasks;

/// <summary>Valid documents by chance, the same for the same seed.</summary>
internal sealed class GeneratedDocuments(int seed, bool withExtensions = true)
{
    private static readonly string[] Texts = ["", "a", "-c", "x y", "\"'$`\\", "line\nbreak\t", "ä日本🙂", "\u0001\u001f\u007f", "</script>&+", "*?[x]"];

    private readonly Random _random = new(seed);

    internal TaskDocument Next() => new()
    {
        Id = Maybe(TaskId.New),
        Name = Maybe(() => "name 🙂"),
        Workflow = Maybe(() => "nightly.1"),
        Tags = Map(i => $"tag '{i}'"),
        Image = Pick("alpine", "quay.io/a/b:1", "localhost:5000/x@sha256:" + new string('a', 64)),
        Commands = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(NextCommand)],
        Inputs = [.. Enumerable.Range(0, _random.Next(4)).Select(NextInput)],
        Outputs = [.. Enumerable.Range(0, _random.Next(6)).Select(NextOutput)],
        Environment = Map(i => $"VAR_{i} ä"),
        WorkingDirectory = Maybe(() => Pick("/", "/work/ä b")),
        User = Maybe(() => Pick("0", "1000:1000", "nobody")),
        Network = Pick(Enum.GetValues<TaskNetwork>()),
        Timeout = Flip() ? TaskDocument.DefaultTimeout : TimeSpan.FromMilliseconds(_random.NextInt64(1, 2_592_000_000)),
        Resources = NextResources(),
        Retries = _random.Next(101),
        RetryExitCodes = Flip() ? [] : [.. Enumerable.Range(1, 255).OrderBy(_ => _random.Next()).Take(3)],
        Publish = (TaskPublishing)_random.Next(2),
        Priority = _random.Next(10),
        Extensions = NextExtensions(),
    };

    private TaskCommand NextCommand(int index) => new(
        ["program " + Pick(Texts), .. Enumerable.Range(0, _random.Next(4)).Select(_ => Pick(Texts))],
        Maybe(() => "/usr/share/a *"), Maybe(() => $"/tmp/out \"{index}\""), Maybe(() => $"/tmp/err{index}"), Flip())
    {
        Extensions = NextExtensions(),
    };

    private TaskInput NextInput(int index)
    {
        var isDirectory = Flip();
        var remote = Pick(new RemotePath(null, "b", $"in/{index} ä?*"), new RemotePath("gs", "b", $"in/{index}"), new RemotePath("file", "", $"/srv/{index}"));
        var sha256 = !isDirectory && Flip() ? new string("0a9f"[index % 4], 64) : null;
        return new TaskInput(isDirectory ? remote.WithKey(remote.Key + "/") : remote, $"/in/{index}" + Pick("", "*?[x]\\", " 🙂"), isDirectory, Flip(), sha256) { Extensions = NextExtensions() };
    }

    private TaskOutput NextOutput(int index)
    {
        // Streams have no path of their own, so each may come once.
        var kind = index switch { 0 => TaskOutputKind.StandardOutput, 1 => TaskOutputKind.Log, _ => Pick(TaskOutputKind.File, TaskOutputKind.Directory, TaskOutputKind.Pattern) };
        var path = kind switch
        {
            TaskOutputKind.StandardOutput => TaskOutput.StandardOutputPath,
            TaskOutputKind.Log => TaskOutput.LogPath,
            TaskOutputKind.Pattern => $"/out/{index}/{Pick("*", "a?", "\\*[a-z]", "x[!\\]]*/y")}",
            _ => $"/out/{index}" + Pick("", "*", "a?", "[x]", "\\", " 🙂"),
        };
        var remote = new RemotePath(Pick(null, "gs", "s3"), "b", $"out/{index}" + (kind is TaskOutputKind.Directory or TaskOutputKind.Pattern ? "/" : ""));
        return new TaskOutput(remote, kind, path, Flip()) { Extensions = NextExtensions() };
    }

    private TaskResources NextResources() => new()
    {
        Cpus = Flip() ? null : Math.Round(_random.NextDouble() * 8 + 0.01, 3),
        Memory = Flip() ? null : (6L << 20) + _random.Next(1 << 30),
        Disk = Flip() ? null : 1L << _random.Next(20, 60),
        Gpus = Flip() ? null : _random.Next(1, 9),
        Pids = Flip() ? null : _random.Next(1, 1000),
        SharedMemory = Flip() ? null : 1_000_000L * _random.Next(1, 1000),
        Extensions = NextExtensions(),
    };

    private Dictionary<string, JsonElement> NextExtensions() => !withExtensions || _random.Next(4) > 0 ? [] : new()
    {
        ["newer ä"] = JsonElement.Parse("""{"a": [1, 2.50, null, {"b": "ä"}], "c": true}"""),
        ["x"] = JsonElement.Parse("1e3"),
    };

    private Dictionary<string, string> Map(Func<int, string> name) => Enumerable.Range(0, _random.Next(4)).ToDictionary(name, _ => Pick(Texts));

    private T? Maybe<T>(Func<T> make) where T : class => Flip() ? make() : null;

    private T Pick<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    private bool Flip() => _random.Next(2) == 0;
}
