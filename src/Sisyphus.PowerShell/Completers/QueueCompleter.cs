using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Net;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Settings;
using Sisyphus.PowerShell.Commands;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Completers;

/// <summary>Completes from the session's queue. A person waits at the keyboard: what is not there soon is not offered.</summary>
public abstract class QueueCompleter : IArgumentCompleter
{
    private const string SqliteScheme = "sqlite:";
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(500);

    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            // On another thread: the wait here ends at the limit whatever the queue does.
            var given = fakeBoundParameters?["Broker"];
            var address = Session.Resolve(new SettingsLayer { Broker = given is null ? null : PowerShellValue.Text(given) }).Broker;
            // A key press makes no queue.
            if (address.StartsWith(SqliteScheme, StringComparison.OrdinalIgnoreCase) && !File.Exists(address[SqliteScheme.Length..]))
                return [];
            var credential = (fakeBoundParameters?["Credential"] as PSCredential).ToNetworkCredential() ?? Session.CredentialFor(address);
            var found = Task.Run(() => FindAsync(address, credential));
            return found.Wait(s_limit)
                ? [.. found.Result.Where(item => item.Name.StartsWith(wordToComplete ?? "", StringComparison.OrdinalIgnoreCase))
                    .Select(item => new CompletionResult(item.Name, item.Name, CompletionResultType.ParameterValue, item.About))]
                : [];
        }
        catch (Exception e) when (e is InvalidSettingsException or AggregateException)
        {
            return [];
        }
    }

    private protected abstract Task<IReadOnlyList<(string Name, string About)>> FindAsync(ITaskQueue queue, CancellationToken cancellationToken);

    private async Task<IReadOnlyList<(string Name, string About)>> FindAsync(string address, NetworkCredential? credential)
    {
        using var limit = new CancellationTokenSource(s_limit);
        var queue = TaskQueues.Open(address, new QueueOptions { Credential = credential });
        await using (queue.ConfigureAwait(false))
            return await FindAsync(queue, limit.Token).ConfigureAwait(false);
    }
}
