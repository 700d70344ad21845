using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>Engines that are elsewhere, that are not there, and that are none.</summary>
public sealed class ConnectTests(EngineFixture fixture) : ContainerTest(fixture)
{
    [Fact]
    public async Task GetInfoAsync_ThisEngine_TellsWhatItIs()
    {
        var info = await Engine.GetInfoAsync(Token);
        Assert.NotEmpty(info.Version);
        Assert.InRange(info.Cpus, 1, 4096);
        Assert.InRange(info.Memory, 1L << 28, 1L << 50);
        Assert.Contains(info.Architecture, new[] { "x86_64", "aarch64" });
    }

    [Fact]
    public async Task RunAsync_OverTcp_StreamsEndAsOverTheSocket()
    {
        await using var relay = new EngineRelay(Socket());
        await using var engine = DockerContainerEngine.Connect($"tcp://127.0.0.1:{relay.Port}");
        await EchoAsync(engine);
    }

    [Fact]
    public async Task RunAsync_OverTlsWithCertificates_WorksAndVerifies()
    {
        using var certificates = new TestCertificates();
        await using var relay = new EngineRelay(Socket(), certificates.Server, certificates.Authority);
        await using var engine = new DockerContainerEngine(new(new($"tcp://127.0.0.1:{relay.Port}"), new(certificates.ClientFolder, Verify: true), "test"));
        await EchoAsync(engine);
    }

    [Fact]
    public async Task GetInfoAsync_CertificateOfAStranger_IsRefusedUnlessNotVerified()
    {
        using var certificates = new TestCertificates();
        using var strangers = new TestCertificates();
        await using var relay = new EngineRelay(Socket(), strangers.Server);
        var uri = new Uri($"tcp://127.0.0.1:{relay.Port}");
        await using (var engine = new DockerContainerEngine(new(uri, new(certificates.ClientFolder, Verify: true), "test")))
            Assert.Contains("TLS", (await FailAsync(engine)).Message, StringComparison.Ordinal);
        await using (var engine = new DockerContainerEngine(new(uri, new(certificates.ClientFolder, Verify: false), "test")))
            await engine.GetInfoAsync(Token);
    }

    [Fact]
    public async Task GetInfoAsync_CertificateForAnotherName_IsRefused()
    {
        using var certificates = new TestCertificates("elsewhere.example");
        await using var relay = new EngineRelay(Socket(), certificates.Server);
        await using var engine = new DockerContainerEngine(new(new($"tcp://127.0.0.1:{relay.Port}"), new(certificates.ClientFolder, Verify: true), "test"));
        Assert.Contains("TLS", (await FailAsync(engine)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unix:///no/such/engine.sock")]
    [InlineData("tcp://127.0.0.1:1")]
    public async Task GetInfoAsync_NoEngine_SaysWhereItLookedAndWhatToDo(string endpoint)
    {
        await using var engine = DockerContainerEngine.Connect(endpoint);
        var failure = await FailAsync(engine);
        Assert.Contains(endpoint, failure.Message, StringComparison.Ordinal);
        Assert.Contains("install", failure.Message, StringComparison.Ordinal);
        Assert.Contains("DOCKER_HOST", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
    [InlineData("")]
    public async Task GetInfoAsync_SomethingElseAnswers_IsUnavailable(string answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeOnceAsync(listener, answer);
        await using var engine = DockerContainerEngine.Connect($"tcp://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        var failure = await FailAsync(engine);
        await serving;
        if (answer.Length > 0)
            Assert.Contains("not a container engine", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetInfoAsync_Cancelled_IsTheCallersCancellation()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var engine = DockerContainerEngine.Connect($"tcp://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        using var cancel = new CancellationTokenSource();
        // Accepts and never answers.
        var asking = engine.GetInfoAsync(cancel.Token);
        using var accepted = await listener.AcceptTcpClientAsync(Token);
        await cancel.CancelAsync();
        var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(TimeSpan.FromSeconds(10), Token));
        Assert.Equal(cancel.Token, canceled.CancellationToken);
    }

    private string Socket() => new Uri(Fixture.Engine.Endpoint) is { Scheme: "unix" } uri ? uri.LocalPath : throw new InvalidOperationException("These tests want the engine on a unix socket.");

    private async Task EchoAsync(DockerContainerEngine engine)
    {
        var command = Tool("wc", "-c");
        await using var container = await engine.CreateContainerAsync(Spec(command), Token);
        Assert.Equal("1000000", (await RunAsync(container, command, new byte[1_000_000])).OutputText.Trim());
    }

    private static async Task<TaskFailureException> FailAsync(DockerContainerEngine engine)
    {
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => engine.GetInfoAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
        Assert.Equal(FailureReason.EngineUnavailable, failure.Reason);
        return failure;
    }

    private static async Task ServeOnceAsync(TcpListener listener, string answer)
    {
        using var client = await listener.AcceptTcpClientAsync(Token);
        await using var stream = client.GetStream();
        await stream.ReadExactlyAsync(new byte[16], Token);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), Token);
        client.Client.Shutdown(SocketShutdown.Send);
        await stream.CopyToAsync(Stream.Null, Token);
    }

    // An authority, a server's certificate and a client's folder as the docker CLI wants it.
    private sealed class TestCertificates : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sisyphus-test-");

        public TestCertificates(string? name = null)
        {
            using var key = ECDsa.Create();
            var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            Authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            Server = Issue("CN=server", name);
            using var client = Issue("CN=client", null);
            File.WriteAllText(Path.Combine(_folder.FullName, "ca.pem"), Authority.ExportCertificatePem());
            File.WriteAllText(Path.Combine(_folder.FullName, "cert.pem"), client.ExportCertificatePem());
            File.WriteAllText(Path.Combine(_folder.FullName, "key.pem"), client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        }

        public X509Certificate2 Authority { get; }
        public X509Certificate2 Server { get; }
        public string ClientFolder => _folder.FullName;

        public void Dispose()
        {
            Authority.Dispose();
            Server.Dispose();
            _folder.Delete(recursive: true);
        }

        private X509Certificate2 Issue(string subject, string? name)
        {
            using var key = ECDsa.Create();
            var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            if (name is null)
                names.AddIpAddress(IPAddress.Loopback);
            else
                names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            using var bare = request.Create(Authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(20), RandomNumberGenerator.GetBytes(8));
            return bare.CopyWithPrivateKey(key);
        }
    }
}
