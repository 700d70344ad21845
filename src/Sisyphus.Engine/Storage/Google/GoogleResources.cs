using System.Text.Json.Serialization;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Parts of the JSON API's resources (https://cloud.google.com/storage/docs/json_api/v1); numbers of 64 bits come as text.</summary>
internal sealed record ObjectResource(string? Name, string? Generation, string? Size, string? Crc32c, DateTimeOffset? Updated)
{
    /// <summary>The fields to ask for.</summary>
    public const string Fields = "name,generation,size,crc32c,updated";
}

internal sealed record ObjectPage(IReadOnlyList<ObjectResource>? Items, string? NextPageToken);

internal sealed record BucketResource(string? Name);

internal sealed record BucketPage(IReadOnlyList<BucketResource>? Items, string? NextPageToken);

internal sealed record RewriteProgress(bool Done, string? RewriteToken, ObjectResource? Resource);

/// <summary>What an upload says of its object.</summary>
internal sealed record UploadMetadata(string Name, string? Crc32c);

internal sealed record ErrorAnswer(ErrorDetails? Error);

internal sealed record ErrorDetails(string? Message, IReadOnlyList<ErrorItem>? Errors);

internal sealed record ErrorItem(string? Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ObjectResource))]
[JsonSerializable(typeof(ObjectPage))]
[JsonSerializable(typeof(BucketPage))]
[JsonSerializable(typeof(RewriteProgress))]
[JsonSerializable(typeof(UploadMetadata))]
[JsonSerializable(typeof(ErrorAnswer))]
internal sealed partial class GoogleJson : JsonSerializerContext;
