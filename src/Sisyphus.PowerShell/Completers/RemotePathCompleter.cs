using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

using Sisyphus.Engine.Settings;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Completers;

/// <summary>Buckets, and folder by folder the keys in them. Only of stores on this machine's disks, and only for a moment: a key press must never wait for a network.</summary>
public sealed class RemotePathCompleter : IArgumentCompleter
{
    private const int MaxResults = 200;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMilliseconds(300);

    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(wordToComplete);
        var word = wordToComplete.Trim('\'', '"');
        using var limit = new CancellationTokenSource(TimeLimit);
        try
        {
            var given = fakeBoundParameters?["Store"];
            var settings = Session.Resolve(new SettingsLayer { Store = given is null ? null : PowerShellValue.Text(given) });
            var stores = ObjectStores.Open(settings.Store, settings.StoreMapping);
            var candidates = word.Contains(':', StringComparison.Ordinal) ? KeysAsync(stores, word, limit.Token) : BucketsAsync(stores, word, limit.Token);
            return [.. candidates.ToBlockingEnumerable(limit.Token).Distinct(StringComparer.Ordinal).Take(MaxResults).Select(Result)];
        }
        // Completion has no place to report to; whatever is wrong, the command itself will say.
        catch (Exception e) when (e is InvalidSettingsException or FormatException or TaskFailureException or OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static IAsyncEnumerable<string> BucketsAsync(ObjectStores stores, string word, CancellationToken cancellationToken) =>
        stores.ListBucketsAsync(cancellationToken).Where(bucket => bucket.StartsWith(word, StringComparison.OrdinalIgnoreCase)).Select(bucket => bucket + ":");

    private static IAsyncEnumerable<string> KeysAsync(ObjectStores stores, string word, CancellationToken cancellationToken)
    {
        var path = RemotePath.Parse(word);
        var location = stores.Resolve(path);
        if (!location.Store.Name.StartsWith("file:", StringComparison.Ordinal))
            return AsyncEnumerable.Empty<string>();
        return location.Store.ListForUserAsync(location.Bucket, location.Key, reserved: false, cancellationToken).Select(info =>
        {
            var end = info.Key.IndexOf('/', location.Key.Length);
            return path.WithKey(end < 0 ? info.Key : info.Key[..(end + 1)]).ToString();
        });
    }

    private static CompletionResult Result(string path)
    {
        var plain = path.All(c => char.IsLetterOrDigit(c) || c is ':' or '/' or '.' or '-' or '_');
        var text = plain ? path : $"'{path.Replace("'", "''", StringComparison.Ordinal)}'";
        return new CompletionResult(text, path, CompletionResultType.ParameterValue, path);
    }
}
