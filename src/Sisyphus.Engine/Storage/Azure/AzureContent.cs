using Azure.Storage.Blobs.Models;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>The content of a blob. Where a connection breaks, Azure's library makes another one inside of the read, and gives it the token of the request that opened the content and none other: so that one has to end with the read's.</summary>
/// <param name="reading">Of the request; owned by this stream.</param>
internal sealed class AzureContent(BlobDownloadStreamingResult answer, CancellationTokenSource reading) : ReadOnlyStream
{
    public BlobDownloadDetails Details => answer.Details;

    /// <param name="opening">Ends the request as long as it has no answer.</param>
    public static async Task<AzureContent> OpenAsync(Func<CancellationToken, Task<BlobDownloadStreamingResult>> request, CancellationToken opening)
    {
        var reading = new CancellationTokenSource();
        try
        {
            using var ends = Ends(reading, opening);
            return new AzureContent(await request(reading.Token).ConfigureAwait(false), reading);
        }
        catch
        {
            reading.Dispose();
            throw;
        }
    }

    public override int Read(Span<byte> buffer) => answer.Content.Read(buffer);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var ends = Ends(reading, cancellationToken);
        return await answer.Content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            answer.Dispose();
            reading.Dispose();
        }
        base.Dispose(disposing);
    }

    private static CancellationTokenRegistration Ends(CancellationTokenSource reading, CancellationToken with) => with.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), reading);
}
