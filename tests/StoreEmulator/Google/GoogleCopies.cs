using System.Collections.Concurrent;
using System.Globalization;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>Copies inside the service: https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite, copy and compose.</summary>
internal sealed class GoogleCopies(GoogleEmulatorOptions options)
{
    private const int MaxComposed = 32;

    private readonly ConcurrentDictionary<string, (long Generation, long Done)> _rewrites = [];

    public async Task AnswerAsync(GoogleRequest request, GoogleBucket from, string name, GoogleBucket to, string copy, Uri address)
    {
        GoogleUploads.RequireName(copy);
        var change = await Json.ReadAsync(request);
        var conditions = Conditions.OfSource(request);
        var source = from.Find(name) is { } found && conditions.IsGeneration(found) ? found : throw GoogleError.NoObject(from.Name, name);
        conditions.Check(source);
        var done = options.RewriteStep;
        if (request.Query("rewriteToken") is { } token)
        {
            if (!_rewrites.TryRemove(token, out var begun) || begun.Generation != source.Generation)
                throw GoogleError.Invalid("The rewrite token is not valid.");
            done = begun.Done + options.RewriteStep;
        }
        var isRewrite = request.Segments[4] == "rewriteTo";
        if (isRewrite && options.RewriteStep < long.MaxValue && done < source.Content.Length)
        {
            var next = Guid.NewGuid().ToString("N");
            _rewrites[next] = (source.Generation, done);
            await Json.SendAsync(request, Progress(source, done, next, null));
            return;
        }
        var made = to.Put(copy, Conditions.Of(request) with { Generation = null }, generation => source with
        {
            Bucket = to.Name,
            Name = copy,
            Generation = generation,
            Metageneration = 1,
            Created = DateTimeOffset.UtcNow,
            Updated = DateTimeOffset.UtcNow,
            ContentType = Json.Text(change, "contentType") ?? source.ContentType,
            Metadata = Json.Metadata(change, source.Metadata),
        });
        var resource = made.ToJson(address).Where(entry => entry.Value is not null).ToDictionary();
        await Json.SendAsync(request, isRewrite ? Progress(source, source.Content.Length, null, resource) : resource);
    }

    public static async Task ComposeAsync(GoogleRequest request, GoogleBucket bucket, string name, Uri address)
    {
        GoogleUploads.RequireName(name);
        var asked = await Json.ReadAsync(request);
        var sources = asked.GetProperty("sourceObjects").EnumerateArray().Select(source => Json.Text(source, "name") ?? "").ToArray();
        if (sources.Length is 0 or > MaxComposed)
            throw GoogleError.Invalid($"The number of source components provided ({sources.Length}) exceeds the maximum (32)");
        var content = new StoredContent();
        foreach (var source in sources)
            content.Append((bucket.Find(source) ?? throw GoogleError.NoObject(bucket.Name, source)).Content);
        // Without an MD5: https://cloud.google.com/storage/docs/composite-objects.
        var made = bucket.Put(name, Conditions.Of(request), generation => new GoogleObject(bucket.Name, name, content, generation, Sum(content), null, DateTimeOffset.UtcNow));
        await Json.SendAsync(request, made.ToJson(address));
    }

    private static string Sum(StoredContent content)
    {
        var crc = new Crc32C();
        foreach (var piece in content.Range(0, content.Length))
            crc.Append(piece.Span);
        return crc.Text;
    }

    private static Dictionary<string, object?> Progress(GoogleObject source, long done, string? token, object? resource) => new()
    {
        ["kind"] = "storage#rewriteResponse",
        ["totalBytesRewritten"] = done.ToString(CultureInfo.InvariantCulture),
        ["objectSize"] = source.Content.Length.ToString(CultureInfo.InvariantCulture),
        ["done"] = token is null,
        ["rewriteToken"] = token,
        ["resource"] = resource,
    };
}
