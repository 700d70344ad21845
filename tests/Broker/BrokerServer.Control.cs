using System.Diagnostics;
using System.Globalization;
using System.Text;
using Xunit;

namespace Sisyphus.Tests.Broker;

// What an administrator does to it.
public sealed partial class BrokerServer
{
    private static readonly TimeSpan ControlLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan CallPause = TimeSpan.FromMilliseconds(300);
    private const int MostCalls = 5;

    /// <summary>Runs <c>rabbitmqctl</c> (about a third of a second) and returns what it says.</summary>
    public Task<string> RunControlAsync(params string[] arguments) =>
        RunAsync(Path.Combine(Path.GetDirectoryName(_options.Server)!, "rabbitmqctl"), "", ["--node", NodeName, "--quiet", .. arguments]);

    /// <summary>Evaluates expressions, separated by commas and without the final full stop, in the broker (a few milliseconds).</summary>
    /// <returns>The value of the last one, as Erlang writes it.</returns>
    public async Task<string> EvalAsync(string erlang)
    {
        // erl_call comes with Erlang; rabbitmqctl eval starts a whole Erlang machine for the same.
        // Its own way to a name, -r, gives two callers of the same second the same one, and the second is refused.
        var answer = await CallAsync("c" + Guid.NewGuid().ToString("n"), erlang);
        return answer.StartsWith("{ok, ", StringComparison.Ordinal)
            ? answer[5..^1]
            : throw new InvalidOperationException($"The broker does not evaluate '{erlang}': {answer}");
    }

    /// <summary>On a busy machine the broker does not always answer it in time.</summary>
    private async Task<string> CallAsync(string caller, string erlang)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await RunAsync("erl_call", erlang + ".\n", ["-h", caller, "-sname", NodeName, "-c", _home.Cookie, "-e"]);
            }
            catch (InvalidOperationException error) when (tries < MostCalls && error.Message.Contains("failed to connect", StringComparison.Ordinal))
            {
                await Task.Delay(CallPause, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Stops AMQP and the queues, not the process; every client loses its connection.</summary>
    public Task StopAppAsync() => RunControlAsync("stop_app");

    public Task StartAppAsync() => RunControlAsync("start_app");

    /// <summary>A virtual host in which guest may do everything.</summary>
    /// <returns>Its address for guest.</returns>
    public async Task<Uri> AddVirtualHostAsync(string name)
    {
        await EvalAsync($"ok = rabbit_vhost:add({Binary(name)}, {Actor})");
        await SetPermissionsAsync("guest", name, ".*", ".*", ".*");
        return UriOf(virtualHost: name);
    }

    /// <summary>A user without tags, with the rights that the three regular expressions give in one virtual host.</summary>
    /// <returns>Its address there.</returns>
    public async Task<Uri> AddUserAsync(string name, string password, string virtualHost, string configure, string write, string read)
    {
        await EvalAsync($"ok = rabbit_auth_backend_internal:add_user({Binary(name)}, {Binary(password)}, {Actor})");
        await SetPermissionsAsync(name, virtualHost, configure, write, read);
        return UriOf(name, password, virtualHost);
    }

    /// <summary>Changes rights at once; open channels notice within their cache, new ones immediately.</summary>
    public Task SetPermissionsAsync(string user, string virtualHost, string configure, string write, string read) =>
        EvalAsync($"ok = rabbit_auth_backend_internal:set_permissions({Binary(user)}, {Binary(virtualHost)}, {Binary(configure)}, {Binary(write)}, {Binary(read)}, {Actor})");

    /// <summary>Closes every client's connection with 320 CONNECTION_FORCED and the reason.</summary>
    public Task CloseAllConnectionsAsync(string reason) =>
        EvalAsync($"rabbit_networking:close_connections(rabbit_networking:connections(), binary_to_list({Binary(reason)}))");

    /// <summary>
    /// How long a delivery may stay unacknowledged, in channels that are opened from now on; looked at every fifth of it, a second at least.
    /// From 4.3 on it is the quorum queues' alone, and ends the consumer in place of its channel.
    /// Forgotten when the broker restarts: <see cref="BrokerOptions.Config"/> with <c>consumer_timeout</c> and <c>channel_tick_interval</c> lasts.
    /// </summary>
    public Task SetConsumerTimeoutAsync(TimeSpan timeout) =>
        EvalAsync(string.Create(CultureInfo.InvariantCulture, $"ok = application:set_env(rabbit, consumer_timeout, {(long)timeout.TotalMilliseconds}), ok = application:set_env(rabbit, channel_tick_interval, {Math.Max(1000, (long)timeout.TotalMilliseconds / 5)})"));

    /// <summary>The disk alarm, by a limit that no disk meets, or by none.</summary>
    public Task SetDiskAlarmAsync(bool alarm) => EvalAsync($"ok = rabbit_disk_monitor:set_disk_free_limit({(alarm ? "1000000000000000000" : "1000000")}), {HasAlarm("disk", alarm)}");

    /// <summary>The memory alarm, by a limit that the broker is above already, or by the default.</summary>
    public Task SetMemoryAlarmAsync(bool alarm) => EvalAsync($"ok = vm_memory_monitor:set_vm_memory_high_watermark({(alarm ? "{absolute, 1000000}" : "0.6")}), {HasAlarm("memory", alarm)}");

    // The answer comes after every connection was told, which goes by messages of its own.
    private static string HasAlarm(string resource, bool alarm) =>
        $"{(alarm ? "true" : "false")} = lists:any(fun({{{{resource_limit, Source, _}}, _}}) -> Source =:= {resource}; (_) -> false end, rabbit_alarm:get_alarms())";

    /// <summary>
    /// Brings the names of queues, users and virtual hosts to the disk. A broker that keeps them in Mnesia does so with a delay, and one that
    /// is killed before can have forgotten a durable queue that was just declared, with messages that it has confirmed (seen once, on 4.0.5).
    /// </summary>
    public Task SyncMetadataAsync() => EvalAsync("catch mnesia:sync_log()");

    /// <summary>
    /// From now on it refuses new quorum queues as if they were disabled, in its own words, and has streams. No version can be set up so: its
    /// streams need the flag of quorum queues. So the one function that it asks is replaced, until it restarts.
    /// </summary>
    public Task RefuseQuorumAsync() => EvalAsync("""
        {ok, {_, [{abstract_code, {_, Forms}}]}} = beam_lib:chunks(code:which(rabbit_quorum_queue), [abstract_code]),
        {ok, Module, Code} = compile:forms([case Form of {function, Line, is_enabled, 0, _} -> {function, Line, is_enabled, 0, [{clause, Line, [], [], [{atom, Line, false}]}]}; _ -> Form end || Form <- Forms], []),
        {module, Module} = code:load_binary(Module, "replaced", Code),
        false = Module:is_enabled()
        """.ReplaceLineEndings(" "));

    public Task DeleteQueueAsync(string name, string virtualHost = "/") => RunControlAsync("delete_queue", name, "--vhost", virtualHost);

    private const string Actor = "<<\"tests\">>";

    private static string Binary(string text) => $"<<{string.Join(',', Encoding.UTF8.GetBytes(text))}>>";

    private async Task<string> RunAsync(string program, string input, string[] arguments)
    {
        var command = _home.Command(program, arguments);
        command.RedirectStandardInput = command.RedirectStandardOutput = command.RedirectStandardError = true;
        using var process = Process.Start(command)!;
        using var late = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        late.CancelAfter(ControlLimit);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), late.Token);
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync(late.Token);
            var output = await process.StandardOutput.ReadToEndAsync(late.Token);
            await process.WaitForExitAsync(late.Token);
            return process.ExitCode == 0
                ? output.Trim()
                : throw new InvalidOperationException($"{Path.GetFileName(program)} has ended with {process.ExitCode}: {await error} {output}".Trim());
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
