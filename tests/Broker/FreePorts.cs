using System.Net;
using System.Net.Sockets;

namespace Sisyphus.Tests.Broker;

/// <summary>
/// Ports of this machine on which nobody listens. They lie below the range from which the system takes ports for outgoing connections
/// (32768 and up), so that a client cannot take the port of a broker that is down for a moment.
/// </summary>
internal static class FreePorts
{
    private const int First = 12000;
    private const int End = 32000;

    private static readonly HashSet<int> Given = [];

    public static int Next()
    {
        lock (Given)
        {
            for (var tries = 0; tries < 1000; tries++)
            {
                // At random, as other runs of the suites look for theirs at the same time.
                var port = Random.Shared.Next(First, End);
                if (!Given.Contains(port) && IsFree(port))
                {
                    Given.Add(port);
                    return port;
                }
            }
        }
        throw new InvalidOperationException($"No port from {First} to {End} is free.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
