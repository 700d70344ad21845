using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sisyphus.Tests.Integration;
using Xunit;

namespace Sisyphus.Tests.Broker;

/// <summary>
/// A real <c>rabbitmq-server</c> of its own on 127.0.0.1, with folder, ports, node name, cookie and port mapper (epmd) of its own, so
/// that any number of them can run at once; members of one <see cref="BrokerCluster"/> share the last two. One thread starts, stops and
/// pauses it; the rest is for parallel tests too.
/// </summary>
public sealed partial class BrokerServer : IAsyncDisposable
{
    private const int StopSignal = 19;
    private const int ContinueSignal = 18;
    private const int TerminateSignal = 15;

    // AMQP 0-9-1, 4.2.2: a server answers it with Connection.Start, a frame of type 1 (method).
    private static readonly byte[] ProtocolHeader = [.. "AMQP"u8, 0, 0, 9, 1];
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private readonly BrokerOptions _options;
    private readonly BrokerHome _home;
    private readonly BrokerGuard _guard;
    private readonly PortMapper _mapper;
    private Process? _broker;

    public BrokerServer(BrokerOptions? options = null)
    {
        _options = options ?? new();
        _mapper = _options.Mapper ?? new();
        _home = new(_options, _mapper);
        _guard = new(_home.Folder);
    }

    /// <summary>Of the administrator guest and the virtual host <c>/</c>.</summary>
    public Uri AmqpUri => UriOf();

    /// <summary>As <see cref="AmqpUri"/> over TLS; for servers with <see cref="BrokerOptions.Tls"/>.</summary>
    public Uri AmqpsUri => new($"amqps://guest:guest@127.0.0.1:{_home.TlsPort ?? throw new InvalidOperationException("This server was started without TLS.")}");

    public int Port => _home.Port;
    public string NodeName => _home.NodeName;

    /// <summary>Of the Erlang machine.</summary>
    public int ProcessId => (_broker ?? throw NotRunning()).Id;

    public bool IsRunning => _broker is not null;

    public Uri UriOf(string user = "guest", string password = "guest", string virtualHost = "/") =>
        new($"amqp://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@127.0.0.1:{Port}/{Uri.EscapeDataString(virtualHost)}");

    /// <summary>Returns when it answers AMQP. Data of an earlier run of this server are still there.</summary>
    public async Task StartAsync()
    {
        Assert.Null(_broker);
        if (!File.Exists(_options.Server))
            throw new InvalidOperationException($"The tests need a RabbitMQ server, and {_options.Server} does not exist: apt-get install rabbitmq-server, or set {BrokerOptions.ServerVariable}.");
        await _mapper.StartAsync();
        // In a session of its own, as Ctrl+C at the terminal is for the tests; output to a file, as a pipe would end with this process.
        _broker = Process.Start(_home.Command("setsid", ["/bin/sh", "-c", "exec \"$@\" </dev/null >>\"$0\" 2>&1", _home.OutputPath, _options.Server, "-noinput"]))!;
        await _guard.WatchAsync(_broker.Id);
        await TestWait.UntilAsync(AnswersAsync, StartLimit);
    }

    /// <summary>As an administrator stops it: queues are flushed, clients are told.</summary>
    public async Task StopAsync()
    {
        var broker = _broker ?? throw NotRunning();
        Send(TerminateSignal);
        try
        {
            await broker.WaitForExitAsync(CancellationToken.None).WaitAsync(StopLimit, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            broker.Kill();
        }
        await ForgetAsync();
    }

    /// <summary>SIGKILL, also of a paused one. Returns when the process is gone.</summary>
    public async Task KillAsync()
    {
        (_broker ?? throw NotRunning()).Kill();
        await ForgetAsync();
    }

    /// <summary>Stops it if it runs, and starts it with the same data and ports.</summary>
    public async Task RestartAsync()
    {
        if (IsRunning)
            await StopAsync();
        await StartAsync();
    }

    /// <summary>SIGSTOP: connections stay open and nothing answers.</summary>
    public Task PauseAsync()
    {
        Send(StopSignal);
        return Task.CompletedTask;
    }

    /// <summary>SIGCONT.</summary>
    public Task ContinueAsync()
    {
        Send(ContinueSignal);
        return Task.CompletedTask;
    }

    /// <summary>Kills what runs and removes the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await _guard.DisposeAsync();
        if (_broker is not null)
        {
            await _broker.WaitForExitAsync(CancellationToken.None);
            _broker.Dispose();
        }
        if (_options.Mapper is null)
            await _mapper.DisposeAsync();
    }

    private static InvalidOperationException NotRunning() => new("The broker is not running.");

    private async Task ForgetAsync()
    {
        await _broker!.WaitForExitAsync(CancellationToken.None);
        await _guard.WatchAsync();
        _broker.Dispose();
        _broker = null;
    }

    private async Task<bool> AnswersAsync()
    {
        if (_broker!.HasExited)
            throw new InvalidOperationException($"The broker has ended with {_broker.ExitCode} instead of starting. Its last words:\n{_home.LogTail()}");
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
            client.ReceiveTimeout = 5000;
            var stream = client.GetStream();
            await stream.WriteAsync(ProtocolHeader, TestContext.Current.CancellationToken);
            var type = new byte[1];
            if (await stream.ReadAsync(type, TestContext.Current.CancellationToken) == 0 || type[0] != 1)
                return false;
            // Its port is opened a moment after the other.
            using var secure = new TcpClient();
            if (_home.TlsPort is { } port)
                await secure.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (Exception notYet) when (notYet is SocketException or IOException)
        {
            return false;
        }
    }

    private void Send(int signal)
    {
        if (SendSignal(ProcessId, signal) != 0)
            throw new Win32Exception();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
