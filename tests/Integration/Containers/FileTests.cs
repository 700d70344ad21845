using System.Formats.Tar;
using System.Text;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

public sealed class FileTests(EngineFixture fixture) : ContainerTest(fixture)
{
    [Fact]
    public async Task WriteAsync_BeforeTheStart_OwnersModesAndTimesAreTheEntries()
    {
        var command = Tool("stat", "-c", "%u:%g %a %Y", "/in/file", "/in");
        await using var container = await Engine.CreateContainerAsync(Spec(command), Token);
        await container.WriteAsync(async (tar, token) =>
        {
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "in/") { Uid = 12, Gid = 34, Mode = (UnixFileMode)0x1C9, ModificationTime = DateTimeOffset.FromUnixTimeSeconds(2000) }, token);
            await tar.WriteEntryAsync(File("in/file", "text", 56, 78), token);
        }, Token);
        var finished = await RunAsync(container, command);
        Assert.Equal("56:78 640 1000\n12:34 711 2000\n", finished.OutputText);
    }

    [Fact]
    public async Task WriteAsync_WhileItRuns_IsSeenByTheNextCommand()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        await container.WriteAsync((tar, token) => tar.WriteEntryAsync(File("new/deep/file", "seen"), token), Token);
        Assert.Equal("seen", (await RunAsync(container, Tool("cat", "/new/deep/file"))).OutputText);
    }

    [Fact]
    public async Task WriteAsync_CallerFails_ItsExceptionSurfacesAndContainerWorksOn()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        await Assert.ThrowsAsync<InvalidDataException>(() => container.WriteAsync(async (tar, token) =>
        {
            await tar.WriteEntryAsync(File("half", "x"), token);
            throw new InvalidDataException();
        }, Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
        Assert.Equal("on\n", (await RunAsync(container, Tool("echo", "on"))).OutputText);
    }

    [Fact]
    public async Task WriteAsync_ContainerGone_Fails()
    {
        var container = await Engine.CreateContainerAsync(Spec(Tool("true")), Token);
        await container.DisposeAsync();
        await Assert.ThrowsAsync<TaskFailureException>(() => container.WriteAsync((tar, token) =>
            tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "big") { DataStream = new MemoryStream(new byte[32 << 20]) }, token), Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
    }

    [Fact]
    public async Task WriteAndReadAsync_LargeFile_ComesBackTheSame()
    {
        var content = new byte[24 << 20];
        new Random(3).NextBytes(content);
        await using var container = await Engine.CreateContainerAsync(Spec(Tool("true")), Token);
        await container.WriteAsync((tar, token) => tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "big") { DataStream = new MemoryStream(content) }, token), Token);
        await using var stream = await container.ReadAsync("/big", Token);
        await using var tar = new TarReader(stream!);
        var entry = await tar.GetNextEntryAsync(copyData: false, Token);
        var back = new MemoryStream();
        await entry!.DataStream!.CopyToAsync(back, Token);
        Assert.Equal(("big", content.Length), (entry.Name, back.Length));
        Assert.True(content.AsSpan().SequenceEqual(back.ToArray()));
        Assert.Null(await tar.GetNextEntryAsync(cancellationToken: Token));
    }

    [Fact]
    public async Task StatAsync_EveryKind_IsToldWithoutFollowingLinks()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        await RunAsync(container, Shell("cd /; B=/bin/busybox; $B mkdir -p d/sub; echo 123 > d/f; $B chmod 4751 d/f; $B chmod 1777 d/sub; $B ln -s f d/l; $B ln -s nowhere d/broken; $B ln -s sub d/ld; $B mkfifo d/p"));
        Assert.Equal(new(ContainerPathKind.File, 4, (UnixFileMode)0x9E9), await container.StatAsync("/d/f", Token));
        Assert.Equal((ContainerPathKind.Directory, (UnixFileMode)0x3FF), Kind(await container.StatAsync("/d/sub", Token)));
        Assert.Equal((ContainerPathKind.Directory, (UnixFileMode)0x3FF), Kind(await container.StatAsync("/d/sub/", Token)));
        foreach (var link in new[] { "/d/l", "/d/broken", "/d/ld", "/d/ld/" })
            Assert.Equal(ContainerPathKind.SymbolicLink, (await container.StatAsync(link, Token))!.Kind);
        Assert.Equal(ContainerPathKind.Other, (await container.StatAsync("/d/p", Token))!.Kind);
        Assert.Equal(ContainerPathKind.Other, (await container.StatAsync("/dev/null", Token))?.Kind ?? ContainerPathKind.Other);
        Assert.Null(await container.StatAsync("/d/none", Token));
        Assert.Null(await container.StatAsync("/none/none", Token));
        Assert.Null(await container.ReadAsync("/none", Token));

        static (ContainerPathKind, UnixFileMode) Kind(ContainerPathInfo? info) => (info!.Kind, info.Mode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReadAsync_Tree_LinksAndFifosAreEntriesOfTheirKind(bool stopped)
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        await RunAsync(container, Shell("B=/bin/busybox; $B mkdir -p /out/sub; echo 1 > /out/a; echo 2 > '/out/sub/ü b'; $B ln -s /etc/passwd /out/l; $B ln /out/a /out/hard; $B mkfifo /out/p"));
        if (stopped)
            await container.StopAsync(TimeSpan.FromSeconds(5), Token);
        var entries = new Dictionary<string, TarEntryType>();
        await using (var tar = new TarReader((await container.ReadAsync("/out", Token))!))
            while (await tar.GetNextEntryAsync(copyData: true, Token) is { } entry)
                entries[entry.Name] = entry.EntryType;
        Assert.Equal(["out/", "out/a", "out/hard", "out/l", "out/p", "out/sub/", "out/sub/ü b"], entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((TarEntryType.SymbolicLink, TarEntryType.Fifo, TarEntryType.HardLink), (entries["out/l"], entries["out/p"], entries["out/hard"]));
    }

    private static PaxTarEntry File(string name, string content, int uid = 0, int gid = 0) => new(TarEntryType.RegularFile, name)
    {
        DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)),
        Uid = uid,
        Gid = gid,
        Mode = (UnixFileMode)0x1A0,
        ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1000),
    };
}
