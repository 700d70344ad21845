using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

using Xunit;

namespace Sisyphus.Tests.Integration;

/// <summary>A real registry (Debian's <c>docker-registry</c>) on this machine, with a folder of its own.</summary>
public sealed class RegistryServer : IAsyncDisposable
{
    private const string Program = "docker-registry";
    public const string User = "tester";
    public const string Password = "secret";
    // By htpasswd -nbB.
    private const string Users = "tester:$2y$05$OaMvm1Gv01I37WfhLQPnXuiytigxIVe9ga6bPBYaCs7DMd4RmVfZS";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sisyphus-registry-");
    private Process? _process;

    private RegistryServer(IPAddress host) => Address = $"{host}:{FreePort(host)}";

    /// <summary>Host and port, as they begin an image reference.</summary>
    public string Address { get; }

    /// <param name="protect">Nobody gets in without a password.</param>
    /// <param name="tls">Null for plain HTTP, which engines accept on loopback only.</param>
    /// <param name="host">Null for loopback.</param>
    public static async Task<RegistryServer> StartAsync(bool protect = false, RegistryAuthority? tls = null, IPAddress? host = null)
    {
        var server = new RegistryServer(host ?? IPAddress.Loopback);
        try
        {
            await server.StartProcessAsync(protect, tls);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the server; its address stays silent.</summary>
    public async Task StopAsync()
    {
        if (_process is not { } process)
            return;
        _process = null;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartProcessAsync(bool protect, RegistryAuthority? tls)
    {
        var config = Path.Combine(_folder.FullName, "config.yml");
        var users = Path.Combine(_folder.FullName, "users");
        await File.WriteAllTextAsync(users, Users + "\n");
        await File.WriteAllTextAsync(config, $"""
            version: 0.1
            log: {"{level: error}"}
            storage:
              filesystem:
                rootdirectory: {Path.Combine(_folder.FullName, "data")}
            http:
              addr: {Address}
              {(tls is not null ? $"tls: {{certificate: {tls.Certificate}, key: {tls.Key}}}" : "")}
            {(protect ? $"auth: {{htpasswd: {{realm: test, path: {users}}}}}" : "")}
            """);
        try
        {
            _process = Process.Start(new ProcessStartInfo(Program, ["serve", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException($"The tests need a registry: apt-get install {Program}.", missing);
        }
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var client = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true });
        client.BaseAddress = new Uri($"{(tls is null ? "http" : "https")}://{Address}");
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        await TestWait.UntilAsync(async () =>
        {
            Assert.False(_process.HasExited, "The registry ended at once.");
            try
            {
                using var answer = await client.GetAsync("/v2/");
                return answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, TimeSpan.FromSeconds(30));
    }

    private static int FreePort(IPAddress host)
    {
        using var listener = new TcpListener(host, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
