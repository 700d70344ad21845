using System.Net;

namespace Sisyphus.Engine.Storage;

/// <summary>Buffers, one after the other, as the content of a request, which tells of each piece that has gone.</summary>
internal sealed class PieceContent(params ReadOnlyMemory<byte>[] parts) : HttpContent
{
    private const int PieceSize = 256 * 1024;

    public Action? Sent { get; set; }

    protected override bool TryComputeLength(out long length)
    {
        length = parts.Sum(part => (long)part.Length);
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (var part in parts)
        {
            for (var at = 0; at < part.Length; at += PieceSize)
            {
                await stream.WriteAsync(part.Slice(at, Math.Min(PieceSize, part.Length - at)), cancellationToken).ConfigureAwait(false);
                Sent?.Invoke();
            }
        }
    }
}
