using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Sisyphus.Tests.Broker;

/// <summary>One connection through a <see cref="BrokerRelay"/>.</summary>
internal sealed class RelayedConnection : IAsyncDisposable
{
    // What may be on its way when the relay delays; a sender that is faster is held back, as by any network.
    private const int ChunksUnderWay = 256;

    private readonly CancellationTokenSource _reset = new();
    private readonly Socket _client;
    private readonly Socket _broker = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly RelayGate _gate;

    public RelayedConnection(Socket client, int brokerPort, RelayGate gate)
    {
        _client = client;
        _client.NoDelay = true;
        _gate = gate;
        Relaying = RelayAsync(brokerPort);
    }

    /// <summary>Ends with the connection, and never in error.</summary>
    public Task Relaying { get; }

    /// <summary>Resets both sides, if they are still there.</summary>
    public async ValueTask DisposeAsync()
    {
        await _reset.CancelAsync();
        await Relaying;
        _reset.Dispose();
    }

    private async Task RelayAsync(int brokerPort)
    {
        try
        {
            await _gate.PassAsync(RelayDirection.ToBroker, _reset.Token);
            await _broker.ConnectAsync(new IPEndPoint(IPAddress.Loopback, brokerPort), _reset.Token);
            await Task.WhenAll(
                PumpAsync(_client, _broker, RelayDirection.ToBroker),
                PumpAsync(_broker, _client, RelayDirection.ToClient));
        }
        catch (Exception broken) when (broken is SocketException or OperationCanceledException)
        {
            // Closed with a linger time of zero, a socket sends RST: the other side learns what this one did.
            _client.LingerState = _broker.LingerState = new(true, 0);
        }
        finally
        {
            _client.Dispose();
            _broker.Dispose();
        }
    }

    private async Task PumpAsync(Socket from, Socket to, RelayDirection direction)
    {
        var underWay = Channel.CreateBounded<(byte[] Bytes, long Due)>(ChunksUnderWay);
        var reading = ReadAsync(from, underWay.Writer);
        try
        {
            await foreach (var (bytes, due) in underWay.Reader.ReadAllAsync(_reset.Token))
            {
                if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due) is { Ticks: > 0 } early)
                    await Task.Delay(early, _reset.Token);
                await _gate.PassAsync(direction, _reset.Token);
                if (direction == RelayDirection.ToBroker && _gate.Stops?.Invoke(bytes) == true)
                    await Task.Delay(Timeout.InfiniteTimeSpan, _reset.Token);
                for (var rest = bytes.AsMemory(); rest.Length > 0;)
                    rest = rest[await to.SendAsync(rest, _reset.Token)..];
            }
            // An end, or a reset by the sender, is news that waits at the gate as well.
            await _gate.PassAsync(direction, _reset.Token);
            await reading;
            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Either side may have been the one that broke; the other is told only when nothing is cut.
            await _gate.PassAsync(RelayDirection.Both, _reset.Token);
            await _reset.CancelAsync();
            throw;
        }
    }

    private async Task ReadAsync(Socket from, ChannelWriter<(byte[] Bytes, long Due)> underWay)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _reset.Token) is > 0 and var count)
            {
                var due = Stopwatch.GetTimestamp() + (long)(_gate.Delay.TotalSeconds * Stopwatch.Frequency);
                await underWay.WriteAsync((buffer[..count], due), _reset.Token);
            }
        }
        finally
        {
            underWay.Complete();
        }
    }
}
