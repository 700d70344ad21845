using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>What the service answered.</summary>
internal sealed class GoogleAnswer : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly byte[] _body;
    private readonly TimeProvider _time;

    private GoogleAnswer(HttpResponseMessage response, byte[] body, TimeProvider time) => (_response, _body, _time) = (response, body, time);

    public HttpStatusCode Status => _response.StatusCode;

    public int Code => (int)Status;

    /// <summary>Of the content: its length, range and encoding, where they are said.</summary>
    public HttpContentHeaders Content => _response.Content.Headers;

    /// <summary>The value as it came, or null.</summary>
    public string? Header(string name) => _response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    public Task<Stream> OpenAsync(CancellationToken cancellationToken) => _response.Content.ReadAsStreamAsync(cancellationToken);

    public static async Task<GoogleAnswer> ReadAsync(HttpResponseMessage response, bool streams, TimeProvider time, CancellationToken cancellationToken) =>
        new(response, streams ? [] : await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false), time);

    /// <exception cref="TaskFailureException">It is cut short, or not the service's. Asked again, it may be whole.</exception>
    public T Read<T>(JsonTypeInfo<T> type, string action)
    {
        try
        {
            return JsonSerializer.Deserialize(_body, type) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: the service's answer can't be understood: {e.Message}", e);
        }
    }

    /// <summary>The object that it is about.</summary>
    public ObjectInfo ReadObject(string bucket, string action) => GoogleObjects.ToInfo(Read(GoogleJson.Default.ObjectResource, action), bucket);

    public TaskFailureException ToFailure(string action)
    {
        var details = Details();
        var sentence = details?.Message?.Split('\n')[0].Trim() ?? _response.ReasonPhrase ?? "";
        var reasons = details?.Errors?.Select(error => error.Reason).OfType<string>().ToList() ?? [];
        return Status switch
        {
            // A limit of requests is a 403 in this API: https://cloud.google.com/storage/docs/json_api/v1/status-codes#403-forbidden
            HttpStatusCode.Forbidden when reasons.Any(reason => reason is "rateLimitExceeded" or "userRateLimitExceeded") =>
                new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: {sentence}") { RetryAfter = RetryAfter },
            HttpStatusCode.BadRequest when sentence.Contains("requester pays", StringComparison.OrdinalIgnoreCase) =>
                new TaskFailureException(FailureReason.InputDenied, $"Can't {action}: {sentence.TrimEnd('.')}. Name the project that pays: gs:?user-project=PROJECT."),
            // The content is not what it was when its checksum was computed: once more it may arrive whole.
            HttpStatusCode.BadRequest when sentence.Contains("match calculated", StringComparison.Ordinal) =>
                new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: it arrived damaged ({sentence.TrimEnd('.')})."),
            _ => ServiceFailures.FromStatus(Status, action, sentence, RetryAfter),
        };
    }

    public void Dispose() => _response.Dispose();

    private TimeSpan? RetryAfter => ServiceFailures.RetryAfter(_response.Headers, _time);

    private ErrorDetails? Details()
    {
        try
        {
            return JsonSerializer.Deserialize(_body, GoogleJson.Default.ErrorAnswer)?.Error;
        }
        catch (JsonException)
        {
            return null; // Uploads answer some errors in plain text.
        }
    }
}
