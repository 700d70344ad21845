using System.Diagnostics;
using System.Formats.Tar;

using Docker.DotNet.Models;

using Xunit;

namespace Sisyphus.Tests.Integration.Execution;

/// <summary>An image as small distributions are: busybox with a link for each of its tools, and root-owned places such as <c>/mnt</c>.</summary>
public sealed class ShellImageFixture(EngineFixture engine) : IAsyncLifetime
{
    public string Reference { get; } = $"sisyphus-test-{Guid.NewGuid().ToString("n")[..12]}:shell";

    public async ValueTask InitializeAsync()
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            foreach (var folder in new[] { "bin", "etc", "mnt", "root" })
                await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, folder) { Mode = (UnixFileMode)0b111_101_101 });
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "tmp") { Mode = (UnixFileMode)0b1_111_111_111 });
            await using var program = File.OpenRead(EngineFixture.Tool);
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, EngineFixture.Tool[1..]) { DataStream = program, Mode = (UnixFileMode)0b111_101_101 });
            foreach (var tool in await ToolsAsync())
                await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, $"bin/{tool}") { LinkName = "busybox" });
            using var users = new MemoryStream("root:x:0:0:root:/root:/bin/sh\n"u8.ToArray());
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "etc/passwd") { DataStream = users, Mode = (UnixFileMode)0b110_100_100 });
        }

        tar.Position = 0;
        var name = Reference.Split(':');
        await engine.Client.Images.CreateImageAsync(new ImagesCreateParameters { Repo = name[0], Tag = name[1] }, tar, null, new Progress<JSONMessage>());
    }

    public async ValueTask DisposeAsync() => await engine.Client.Images.DeleteImageAsync(Reference, new() { Force = true });

    private static async Task<IEnumerable<string>> ToolsAsync()
    {
        using var list = Process.Start(new ProcessStartInfo(EngineFixture.Tool, "--list") { RedirectStandardOutput = true })!;
        var tools = await list.StandardOutput.ReadToEndAsync();
        await list.WaitForExitAsync();
        return tools.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(tool => tool != "busybox");
    }
}
