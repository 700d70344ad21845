using System.Collections.Concurrent;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Empty objects <c>a/</c> and <c>a/b/</c> above a key <c>a/b/c</c>: without them gcsfuse does not show the directories (https://cloud.google.com/storage/docs/cloud-storage-fuse/files-and-directories).</summary>
internal sealed class DirectoryMarkers(GoogleConnection connection, GoogleUpload upload)
{
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<(string Bucket, string Marker), bool> _written = [];

    public async Task WriteAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        // Also where a part of a bucket is mapped as one of its own.
        if (key.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal) || key.Contains("/" + ReservedKeys.Prefix, StringComparison.Ordinal))
            return;
        for (var slash = key.IndexOf('/', StringComparison.Ordinal); slash >= 0 && slash < key.Length - 1; slash = key.IndexOf('/', slash + 1))
        {
            var marker = key[..(slash + 1)];
            if (_written.ContainsKey((bucket, marker)))
                continue;
            await connection.Parts.Requests.RunAsync(() => upload.TryPutWholeAsync(bucket, marker, ReadOnlyMemory<byte>.Empty, GoogleUpload.NoGeneration, cancellationToken), cancellationToken).ConfigureAwait(false);
            // Forgetting costs a request, nothing else.
            if (_written.Count >= MaxRemembered)
                _written.Clear();
            _written.TryAdd((bucket, marker), true);
        }
    }
}
