using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

/// <summary>A store that breaks its first uploads off after it has given a token.</summary>
/// <param name="moves">Each try brings the upload on.</param>
internal sealed class ResumingStore(IObjectStore inner, int breaks, bool moves = true) : ReadableStore
{
    /// <summary>What each upload came with.</summary>
    public List<string?> Tokens { get; } = [];

    public override Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken) => throw new NotSupportedException();

    public override async Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        Tokens.Add(state!.Token);
        if (Tokens.Count > breaks)
            return await inner.PutAsync(bucket, key, content, cancellationToken);
        state.Save("token");
        state.Confirmed = moves ? Tokens.Count : 0;
        throw new TaskFailureException(FailureReason.TransferFailed, "reset");
    }
}
