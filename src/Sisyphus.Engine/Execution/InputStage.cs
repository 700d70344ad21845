using System.Buffers;
using System.Text;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Cache;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Brings a document's inputs from their stores to this machine.</summary>
/// <param name="canMount">False where the engine is on another machine: then every input is copied into the container.</param>
internal sealed class InputStage(AttemptContext attempt, StoreAccess stores, InputCache cache, bool canMount)
{
    private static readonly SearchValues<char> s_notInFileNames = SearchValues.Create(Path.GetInvalidFileNameChars());

    private Retry Retry => stores.Scheduler.Retry;

    /// <exception cref="TaskFailureException">One of the input reasons, naming the object.</exception>
    public async Task<Staged> RunAsync(CancellationToken cancellationToken)
    {
        var staged = new Staged();
        try
        {
            List<Wanted> wanted = [];
            foreach (var input in attempt.Document.Inputs)
                await FindAsync(input, wanted, cancellationToken).ConfigureAwait(false);
            await FetchAsync(wanted, staged, cancellationToken).ConfigureAwait(false);
            foreach (var files in wanted.GroupBy(one => one.Input))
                Place(files.Key, [.. files], staged);
            staged.Records.AddRange(wanted.Select(one => new InputRecord(
                one.Input.Remote.WithKey(one.Input.Remote.Key + one.Relative).ToString(), one.Object.Generation, one.Sums!.Size, Crc32C.ToText(one.Sums.Crc32C), one.Sums.Sha256)));
            return staged;
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    private async Task FetchAsync(List<Wanted> wanted, Staged staged, CancellationToken cancellationToken)
    {
        var folders = wanted.Select(one => one.Input).Where(input => input.IsDirectory).Distinct().ToDictionary(input => input, _ => attempt.Workspace.NewFolder());
        var meter = new TransferMeter(attempt.Events.Staging(), attempt.Time);
        meter.Expect(wanted.Count, wanted.Sum(one => one.Object.KnownSize));
        await Parallel.ForEachAsync(wanted, stores.Scheduler.Parallelism(cancellationToken), async (one, token) =>
        {
            try
            {
                await FetchAsync(one, folders, staged, meter, token).ConfigureAwait(false);
            }
            catch (TaskFailureException gone) when (gone.Reason == FailureReason.InputMissing)
            {
                // It was there a moment ago. Whether it comes again, as when somebody replaces it, the next attempt sees.
                throw new TaskFailureException(FailureReason.InputCorrupt, $"{one.Input.Remote}{one.Relative} was deleted while it was fetched.", gone);
            }
        }).ConfigureAwait(false);
        meter.Flush();
        foreach (var (input, folder) in folders)
            staged.Folders[input] = folder;
    }

    private async Task FetchAsync(Wanted one, Dictionary<TaskInput, string> folders, Staged staged, TransferMeter meter, CancellationToken cancellationToken)
    {
        if (folders.TryGetValue(one.Input, out var folder))
        {
            one.LocalPath = Path.Combine(folder, one.Relative);
            Directory.CreateDirectory(Path.GetDirectoryName(one.LocalPath)!);
            one.Sums = await cache.PlaceAsync(one.Location.Store, one.Object, one.LocalPath, meter, cancellationToken).ConfigureAwait(false);
            return;
        }

        var lease = await cache.FetchAsync(one.Location.Store, one.Object, one.Input.Sha256, meter, cancellationToken).ConfigureAwait(false);
        lock (staged.Leases)
            staged.Leases.Add(lease);
        (one.LocalPath, one.Sums) = (lease.Path, lease.Sums);
    }

    private async Task FindAsync(TaskInput input, List<Wanted> wanted, CancellationToken cancellationToken)
    {
        var location = stores.Resolve(input.Remote);
        if (!input.IsDirectory)
        {
            var info = await Retry.RunAsync(() => location.Store.StatAsync(location.Bucket, location.Key, cancellationToken), cancellationToken).ConfigureAwait(false)
                ?? throw await MissingAsync(input, location, cancellationToken).ConfigureAwait(false);
            wanted.Add(new Wanted(input, location, info, ""));
            return;
        }

        var listed = await Retry.RunAsync(() => location.Store.ListAsync(location.Bucket, location.Key, cancellationToken).ToListAsync(cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
        // A key that ends with a slash is what stores keep for an empty directory.
        Wanted[] found = [.. listed
            .Select(info => (Object: info, Relative: info.Key[location.Key.Length..]))
            .Where(one => one.Relative.Length > 0 && !one.Relative.EndsWith('/'))
            .Select(one => new Wanted(input, location, one.Object, Checked(input, one.Relative)))];
        if (found.Length == 0)
            throw new TaskFailureException(FailureReason.InputMissing, $"The input {input.Remote} is empty: no object has this prefix in {location.Store.Name}.");
        CheckConflicts(input, found);
        wanted.AddRange(found);
    }

    /// <summary>Keys may be prefixes of others; files can't be folders.</summary>
    private static void CheckConflicts(TaskInput input, IReadOnlyList<Wanted> found)
    {
        var files = found.Select(one => one.Relative).ToHashSet(StringComparer.Ordinal);
        foreach (var file in files)
        {
            for (var slash = file.LastIndexOf('/'); slash > 0; slash = file.LastIndexOf('/', slash - 1))
            {
                if (files.Contains(file[..slash]))
                    throw new TaskFailureException(FailureReason.InputDenied, $"The input {input.Remote} can't be a directory: {input.Remote}{file[..slash]} is an object, and so is {input.Remote}{file} below it.");
            }
        }
    }

    private static async Task<TaskFailureException> MissingAsync(TaskInput input, ObjectLocation location, CancellationToken cancellationToken)
    {
        var bucketExists = await location.Store.BucketExistsAsync(location.Bucket, cancellationToken).ConfigureAwait(false);
        return new TaskFailureException(FailureReason.InputMissing, bucketExists
            ? $"The input {input.Remote} does not exist in {location.Store.Name}."
            : $"The input {input.Remote} does not exist: there is no bucket \"{location.Bucket}\" in {location.Store.Name}.");
    }

    /// <summary>A key becomes a path below the input's directory, here and in the container; what can't be one is refused.</summary>
    private static string Checked(TaskInput input, string relative) =>
        relative.Split('/').All(IsFileName) ? relative : throw new TaskFailureException(FailureReason.InputDenied, $"The input {input.Remote}{relative}: the key can't be a path below {input.Path}.");

    private static bool IsFileName(string segment) =>
        segment is not ("" or "." or "..") && Encoding.UTF8.GetByteCount(segment) <= 255 && segment.AsSpan().IndexOfAny(s_notInFileNames) < 0;

    private void Place(TaskInput input, IReadOnlyList<Wanted> files, Staged staged)
    {
        if (input.Writable || !canMount)
        {
            staged.Copied.Add(new CopiedInput(input.Path, input.IsDirectory, [.. files.Select(file => (file.Relative, file.LocalPath))]));
            return;
        }

        foreach (var file in files)
            staged.ReadOnly[input.IsDirectory ? $"{input.Path}/{file.Relative}" : input.Path] = file.LocalPath;
        staged.Mounts.Add(new ContainerMount(input.IsDirectory ? staged.Folders[input] : files[0].LocalPath, input.Path));
    }

    /// <summary>One object to fetch; where it is and what it holds is known afterwards.</summary>
    private sealed class Wanted(TaskInput input, ObjectLocation location, ObjectInfo info, string relative)
    {
        public TaskInput Input => input;
        public ObjectLocation Location => location;
        public ObjectInfo Object => info;
        /// <summary>Path below the input's directory; empty for a single file.</summary>
        public string Relative => relative;
        public string LocalPath { get; set; } = "";
        public ContentSums? Sums { get; set; }
    }

    /// <param name="Files">Path below the input (empty for a single file), local path.</param>
    internal sealed record CopiedInput(string Path, bool IsDirectory, IReadOnlyList<(string Relative, string LocalPath)> Files);

    /// <summary>Inputs on this machine, held in the cache until disposed.</summary>
    internal sealed class Staged : IDisposable
    {
        public List<ContainerMount> Mounts { get; } = [];
        public List<CopiedInput> Copied { get; } = [];
        public List<InputRecord> Records { get; } = [];
        public List<CacheLease> Leases { get; } = [];
        public Dictionary<TaskInput, string> Folders { get; } = [];
        public Dictionary<string, string> ReadOnly { get; } = new(StringComparer.Ordinal);

        /// <summary>Local path of a file that is mounted read-only at the internal path, or null.</summary>
        public string? FindReadOnly(string internalPath) => ReadOnly.GetValueOrDefault(internalPath);

        public void Dispose() => Leases.ForEach(lease => lease.Dispose());
    }
}
