using Amazon.Runtime;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>What signs the requests of a store: wherever it comes from, it is there within a time limit, or there is one error that says whose fault it is.</summary>
/// <param name="source">Begins a sentence: "The profile 'lab'".</param>
internal sealed class LimitedCredentials(AWSCredentials found, string source, S3Settings settings, StoreParts parts)
{
    /// <exception cref="TaskFailureException"/>
    public async Task<ImmutableCredentials> GetAsync(CancellationToken cancellationToken)
    {
        var limit = parts.Transfers.StallTimeout;
        using var late = new CancellationTokenSource(limit, parts.Time);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return await TemporaryCredentials.GetAsync(found, limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (found as TemporaryCredentials)?.Keep() ?? throw Failed($"nothing came within {limit.TotalSeconds:0} s", mayPass: true);
        }
        catch (CredentialsException failure)
        {
            throw Failed(failure.Message, failure.MayPass, failure);
        }
        catch (ProcessAWSCredentialException)
        {
            // Without its words and without the cause: what the program printed may be the secret.
            throw Failed("its credential_process failed; run that command by hand to see why");
        }
        catch (Exception failure) when (failure is AmazonClientException or AmazonServiceException or InvalidOperationException or ArgumentException or IOException or HttpRequestException)
        {
            throw Failed(failure.Message.TrimEnd('.'), TokenFailures.IsPassing(failure), failure);
        }
    }

    private TaskFailureException Failed(string why, bool mayPass = false, Exception? cause = null) =>
        new(mayPass ? FailureReason.TransferFailed : FailureReason.InputDenied, $"{source} gives no credentials for {settings.Name}: {why}.", cause);
}
