using System.Formats.Tar;

using Docker.DotNet;
using Docker.DotNet.Models;

using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Containers.Registries;
using Sisyphus.Tests.Integration;

using Xunit;

[assembly: AssemblyFixture(typeof(EngineFixture))]

namespace Sisyphus.Tests.Integration;

/// <summary>The container engine of this machine, found as everybody finds it, and images of one static program. Without an engine every test that wants it fails.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    /// <summary>The only file of <see cref="Image"/>: busybox, whose tools are named by the first argument.</summary>
    public const string Tool = "/bin/busybox";

    private const string StaticBusybox = "/bin/busybox";

    private readonly string _name = "sisyphus-test-" + Guid.NewGuid().ToString("n")[..12];

    /// <summary>It gives up pulls after seconds: what is tried again and how long has tests of its own.</summary>
    public DockerContainerEngine Engine { get; } = new(Found(), pulls: new() { Budget = TimeSpan.FromSeconds(2) });

    /// <summary>The engine's own interface, for looking behind ours.</summary>
    public DockerClient Client { get; private set; } = null!;

    /// <summary>Id of an image with one static program and nothing else: no shell, no library, no <c>/etc</c>.</summary>
    public string Image { get; private set; } = "";

    /// <summary>Name and tag of <see cref="Image"/>.</summary>
    public string ImageReference => _name + ":bare";

    /// <summary>Id of an image that also has users: root, and alice (1234:1235).</summary>
    public string ImageWithUsers { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        await Engine.GetInfoAsync(TestContext.Current.CancellationToken);
        Client = new DockerClientBuilder().WithEndpoint(new Uri(Engine.Endpoint)).Build();
        if (!File.Exists(StaticBusybox))
            throw new InvalidOperationException($"The tests need a static busybox at {StaticBusybox}: apt-get install busybox-static.");
        Image = await ImportAsync("bare");
        ImageWithUsers = await ImportAsync("users",
            ("etc/passwd", "root:x:0:0:root:/:/bin/sh\nalice:x:1234:1235:Alice:/:/bin/sh\n"),
            ("etc/group", "root:x:0:\nalice:x:1235:\n"));
    }

    /// <summary>Imports an image of the static program and the given files, as <c>…:tag</c>; removed at the end.</summary>
    public async Task<string> ImportAsync(string tag, params (string Path, string Content)[] files)
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            await using var program = File.OpenRead(StaticBusybox);
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, Tool[1..]) { DataStream = program, Mode = (UnixFileMode)0x1ED });
            foreach (var (path, content) in files)
            {
                using var data = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content));
                await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = data, Mode = (UnixFileMode)0x1A4 });
            }
        }
        tar.Position = 0;
        await Client.Images.CreateImageAsync(new ImagesCreateParameters { Repo = _name, Tag = tag }, tar, null, new Progress<JSONMessage>());
        var found = await Engine.FindImageAsync($"{_name}:{tag}", CancellationToken.None);
        return found!.Id;
    }

    /// <summary>Labels of one test, by which everything of it is found again.</summary>
    public static Dictionary<string, string> NewLabels() => new() { ["sisyphus.test"] = Guid.NewGuid().ToString("n") };

    /// <summary>Containers, running or not, with the labels.</summary>
    public async Task<IList<ContainerListResponse>> ContainersAsync(IReadOnlyDictionary<string, string> labels) =>
        await Client.Containers.ListContainersAsync(new()
        {
            All = true,
            Filters = new Dictionary<string, IDictionary<string, bool>> { ["label"] = labels.ToDictionary(l => $"{l.Key}={l.Value}", _ => true) },
        });

    /// <summary>The engine again, with the logins and patience of one test.</summary>
    internal static DockerContainerEngine Connect(RegistryLogins logins, PullOptions pulls) => new(Found(), logins, pulls);

    private static EngineEndpoint Found() => new EngineEndpointResolver(EngineSurroundings.OfThisProcess()).Resolve(null);

    public async ValueTask DisposeAsync()
    {
        foreach (var image in await Client.Images.ListImagesAsync(new() { All = false }))
            foreach (var tag in (image.RepoTags ?? []).Where(t => t.StartsWith(_name + ":", StringComparison.Ordinal)))
                await Client.Images.DeleteImageAsync(tag, new() { Force = true });
        Client.Dispose();
        await Engine.DisposeAsync();
    }
}
