using System.Formats.Tar;
using System.Security.Cryptography;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>The program that only waits (sources and build in <c>Containers/Wait</c>), as a file of a container or as an image of its own.</summary>
internal sealed class WaitProgram
{
    public const string Path = "/.sisyphus-wait";
    /// <summary>Argument with which it sets the routes that reject the metadata addresses, and says so with one byte.</summary>
    public const string BlockMetadata = "block-metadata";
    public const string Repository = "sisyphus-wait";

    private readonly byte[] _binary;

    private WaitProgram(byte[] binary)
    {
        _binary = binary;
        Tag = Convert.ToHexStringLower(SHA256.HashData(binary))[..16];
    }

    /// <summary>Hash of the program, so that another version never meets this one's image.</summary>
    public string Tag { get; }

    /// <param name="architecture">As <see cref="EngineInfo.Architecture"/>.</param>
    public static WaitProgram For(string architecture)
    {
        var name = architecture switch
        {
            "x86_64" or "amd64" => "sisyphus-wait-amd64",
            "aarch64" or "arm64" => "sisyphus-wait-arm64",
            _ => throw new TaskFailureException(FailureReason.EngineUnavailable, $"The container engine's processors are {architecture}; x86_64 and aarch64 are supported."),
        };
        using var resource = typeof(WaitProgram).Assembly.GetManifestResourceStream(name)!;
        var binary = new byte[resource.Length];
        resource.ReadExactly(binary);
        return new(binary);
    }

    public async Task WriteAsync(TarWriter tar, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(_binary, writable: false);
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, Path[1..])
        {
            DataStream = content,
            Mode = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute,
        }, cancellationToken).ConfigureAwait(false);
    }

    public async Task<Stream> AsTarAsync(CancellationToken cancellationToken)
    {
        var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
            await WriteAsync(writer, cancellationToken).ConfigureAwait(false);
        tar.Position = 0;
        return tar;
    }
}
