using System.IO.Compression;
using System.Text;
using RabbitMQ.Client;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Messages that are no task, and words of what is said of each.</summary>
internal sealed record Poison(byte[] Body, string Says, string? ContentType = "text/plain", string? ContentEncoding = null)
{
    private const string Document = """{"name": "é", "image": "a", "commands": [{"command": ["true"]}]}""";
    private const int Depth = 100_000;

    public static IReadOnlyDictionary<string, Poison> All { get; } = new Dictionary<string, Poison>
    {
        ["empty"] = new([], "empty"),
        ["words"] = new("hello"u8.ToArray(), "JSON"),
        ["half"] = new("""{"image": "a", "comm"""u8.ToArray(), "middle"),
        ["UTF-16"] = new([.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(Document)], "UTF-8"),
        ["Latin-1"] = new(Encoding.Latin1.GetBytes(Document), "UTF-8"),
        ["zeros"] = new(new byte[1000], "control character"),
        ["type"] = new(Encoding.UTF8.GetBytes(Document), "application/x-protobuf", ContentType: "application/x-protobuf"),
        ["gzip"] = new(Gzip(), "gzip", ContentEncoding: "gzip"),
        ["deep array"] = new(Encoding.UTF8.GetBytes(new string('[', Depth) + new string(']', Depth)), "object"),
        ["deep object"] = new(Encoding.UTF8.GetBytes("{\"image\": " + string.Concat(Enumerable.Repeat("{\"a\": ", Depth)) + "1" + new string('}', Depth + 1)), "deep"),
        ["deep unclosed"] = new(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\": ", Depth))), "deep"),
        ["other shape"] = new("""{"job": {"run": "x"}, "jsonrpc": "2.0"}"""u8.ToArray(), "image"),
        ["number"] = new("42"u8.ToArray(), "object"),
        ["null"] = new("null"u8.ToArray(), "object"),
        ["two"] = new(Encoding.UTF8.GetBytes($"[{Document}, {Document}]"), "object"),
        ["two after each other"] = new(Encoding.UTF8.GetBytes(Document + Document), "array"),
        ["too long"] = new(Encoding.UTF8.GetBytes(Document + new string(' ', 2 << 20)), "bytes"),
        ["wrong id"] = new("""{"id": "../x", "image": "a", "commands": [{"command": ["x"]}]}"""u8.ToArray(), "id"),
        ["many errors"] = new(Encoding.UTF8.GetBytes($$"""{"image": 1, "commands": [{{string.Join(',', Enumerable.Repeat("1", 5000))}}]}"""), "image"),
    };

    public BasicProperties Properties => new() { Persistent = true, MessageId = "poison", ContentType = ContentType, ContentEncoding = ContentEncoding };

    private static byte[] Gzip()
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(Document));
        return memory.ToArray();
    }
}
