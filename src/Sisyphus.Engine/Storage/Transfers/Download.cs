using Microsoft.Win32.SafeHandles;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <param name="Path">File that is made or replaced.</param>
internal sealed record DownloadItem(IObjectStore Store, ObjectInfo Object, string Path);

/// <summary>Objects to local files: verified, and resumed where a connection broke.</summary>
internal sealed class Download(TransferOptions options, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>Copies many objects, a few at a time. The first failure ends all.</summary>
    /// <returns>The checksums, in the order of the items.</returns>
    public async Task<IReadOnlyList<ContentSums>> ManyToFilesAsync(IReadOnlyList<DownloadItem> items, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var meter = new TransferMeter(progress, _time);
        meter.Expect(items.Count, items.Sum(item => item.Object.Size));
        var sums = new ContentSums[items.Count];
        await Parallel.ForEachAsync(
            items.Index(),
            new ParallelOptions { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = cancellationToken },
            async (item, token) => sums[item.Index] = await ToFileAsync(item.Item, meter, token).ConfigureAwait(false)).ConfigureAwait(false);
        meter.Flush();
        return sums;
    }

    /// <summary>Copies one object. A failure leaves no file.</summary>
    /// <exception cref="TaskFailureException">With the store's reason; <see cref="FailureReason.DiskFull"/> or <see cref="FailureReason.TransferFailed"/> for the local side; <see cref="FailureReason.InputCorrupt"/> when length or checksum are wrong.</exception>
    public async Task<ContentSums> ToFileAsync(DownloadItem item, TransferMeter meter, CancellationToken cancellationToken)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(item.Path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw Local(item, e);
        }
        var complete = false;
        try
        {
            ContentSums sums;
            using (file)
                sums = await ReceiveAsync(item, file, meter, cancellationToken).ConfigureAwait(false);
            complete = true;
            meter.Finished();
            return sums;
        }
        finally
        {
            if (!complete)
                File.Delete(item.Path);
        }
    }

    private async Task<ContentSums> ReceiveAsync(DownloadItem item, SafeFileHandle file, TransferMeter meter, CancellationToken cancellationToken)
    {
        using var hash = new ContentHash();
        var retry = new Retry(options, _time);
        var received = 0L;
        for (var failures = 0; ;)
        {
            var before = received;
            var result = await TryReceiveAsync(item, received, bytes =>
            {
                RandomAccess.Write(file, bytes, received);
                hash.Append(bytes);
                received += bytes.Length;
                meter.Moved(bytes.Length);
            }, cancellationToken).ConfigureAwait(false);

            if (result.End == PumpEnd.TargetFailed)
                throw Local(item, result.Error!);
            if (result.End == PumpEnd.Complete && received >= item.Object.Size)
                return Verify(item, hash.Current);
            var error = result.Error ?? new EndOfStreamException($"the stream ended after {received} of {item.Object.Size} bytes");
            failures = received > before ? 1 : failures + 1;
            if (!Retry.IsWorthwhile(error) || failures >= options.Attempts)
                throw Remote(item, error);
            await retry.PauseAsync(failures, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<PumpResult> TryReceiveAsync(DownloadItem item, long offset, Action<ReadOnlySpan<byte>> write, CancellationToken cancellationToken)
    {
        Stream stream;
        try
        {
            stream = await item.Store.OpenReadAsync(item.Object, offset, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (Retry.IsWorthwhile(e))
        {
            return new PumpResult(PumpEnd.SourceFailed, e);
        }
        await using (stream.ConfigureAwait(false))
            return await StreamPump.CopyAsync(stream, write, options.StallTimeout, _time, cancellationToken).ConfigureAwait(false);
    }

    private static ContentSums Verify(DownloadItem item, ContentSums sums)
    {
        if (sums.Size != item.Object.Size)
            throw Corrupt($"{sums.Size} bytes came instead of {item.Object.Size}");
        if (item.Object.Crc32C is { } expected && expected != sums.Crc32C)
            throw Corrupt($"CRC-32C is {Crc32C.ToText(sums.Crc32C)} instead of {Crc32C.ToText(expected)}");
        return sums;

        TaskFailureException Corrupt(string what) => new(FailureReason.InputCorrupt, $"{item.Object.Bucket}:{item.Object.Key} arrived damaged: {what}.");
    }

    private static TaskFailureException Local(DownloadItem item, Exception cause) =>
        StoreFailures.FromLocalIO(cause, $"write '{item.Path}' ({item.Object.Bucket}:{item.Object.Key})");

    private static Exception Remote(DownloadItem item, Exception cause) => cause is TaskFailureException
        ? cause
        : new TaskFailureException(FailureReason.TransferFailed, $"{item.Object.Bucket}:{item.Object.Key} can't be fetched from {item.Store.Name}: {cause.Message}", cause);
}
