using Docker.DotNet;
using Docker.DotNet.Models;

using Xunit;

namespace Sisyphus.Tests.Integration;

/// <summary>Images of one test that are nowhere but in a registry.</summary>
internal sealed class PushedImages(EngineFixture fixture) : IAsyncDisposable
{
    private readonly List<string> _names = [];

    /// <summary>Id of the image that was pushed last.</summary>
    public string Id { get; private set; } = "";

    /// <summary>Puts a new image into the registry and makes the engine forget it.</summary>
    /// <param name="name">Repository and tag.</param>
    /// <param name="login">For the registry; null for none.</param>
    public async Task<string> PushAsync(string registry, string name, AuthConfig? login = null)
    {
        var reference = $"{registry}/{name}";
        var (repository, tag) = (reference[..reference.LastIndexOf(':')], name[(name.LastIndexOf(':') + 1)..]);
        var local = "pushed-" + Guid.NewGuid().ToString("n");
        Id = await fixture.ImportAsync(local, ("marker", local));
        await fixture.Client.Images.TagImageAsync(Id, new ImageTagParameters { RepositoryName = repository, Tag = tag });
        _names.Add(reference);
        string? error = null;
        await fixture.Client.Images.PushImageAsync(repository, new ImagePushParameters { Tag = tag }, login ?? new AuthConfig(), new Recorder(m => error ??= m.Error?.Message));
        Assert.Null(error);
        await RemoveAsync(Id);
        Assert.Null(await fixture.Engine.FindImageAsync(Id, CancellationToken.None));
        return reference;
    }

    /// <summary>Makes the engine forget an image, by its id: with all of its names.</summary>
    public async Task RemoveAsync(string image)
    {
        try
        {
            await fixture.Client.Images.DeleteImageAsync(image, new ImageDeleteParameters { Force = true });
        }
        catch (DockerImageNotFoundException)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _names)
            await RemoveAsync(name);
        if (Id.Length > 0)
            await RemoveAsync(Id);
    }

    private sealed class Recorder(Action<JSONMessage> report) : IProgress<JSONMessage>
    {
        public void Report(JSONMessage value) => report(value);
    }
}
