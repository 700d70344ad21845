using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>Answers that an emulator does not give.</summary>
public sealed class GoogleAnswerTests
{
    [Theory]
    [InlineData(403, "rateLimitExceeded", "The rate of requests is too high.", FailureReason.TransferFailed, true)]
    [InlineData(403, "userRateLimitExceeded", "Too many.", FailureReason.TransferFailed, true)]
    [InlineData(403, "forbidden", "a@b.c does not have storage.objects.get access.", FailureReason.InputDenied, false)]
    [InlineData(400, "required", "Bucket is a requester pays bucket but no user project provided.", FailureReason.InputDenied, false)]
    [InlineData(400, "invalid", "Provided CRC32C \"AAAAAA==\" doesn't match calculated CRC32C \"AAAAAQ==\".", FailureReason.TransferFailed, true)]
    [InlineData(400, "invalid", "Invalid argument.", FailureReason.TransferFailed, false)]
    [InlineData(408, "timeout", "Too slow.", FailureReason.TransferFailed, true)]
    [InlineData(502, "backendError", "Bad Gateway", FailureReason.TransferFailed, true)]
    [InlineData(410, "gone", "It is gone.", FailureReason.InputMissing, false)]
    public async Task ToFailure_ReasonOfTheService_DecidesWhetherItIsWorthAnotherTry(int status, string reason, string sentence, FailureReason expected, bool retryable)
    {
        var error = new { code = status, message = sentence, errors = new[] { new { reason } } };
        var failure = await FailureAsync(status, JsonSerializer.Serialize(new { error }));
        Assert.Equal((expected, retryable), (failure.Reason, failure.IsRetryable));
        Assert.Contains(sentence.TrimEnd('.'), failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("Can't read bucket:key: ", failure.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("not JSON"), InlineData(""), InlineData("[]"), InlineData("{}"), InlineData("{\"error\":\"text\"}"), InlineData("null")]
    public async Task ToFailure_AnswerOfSomebodyElse_IsTheStatus(string body)
    {
        var failure = await FailureAsync(503, body);
        Assert.True(failure.IsRetryable);
        Assert.Contains("503", failure.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(429), InlineData(503), InlineData(403)]
    public async Task ToFailure_RetryAfter_IsKept(int status)
    {
        var failure = await FailureAsync(status, """{"error":{"message":"later","errors":[{"reason":"rateLimitExceeded"}]}}""", TimeSpan.FromSeconds(7));
        Assert.Equal((true, TimeSpan.FromSeconds(7)), (failure.IsRetryable, failure.RetryAfter));
    }

    private static async Task<TaskFailureException> FailureAsync(int status, string body, TimeSpan? retryAfter = null)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body) };
        response.Headers.RetryAfter = retryAfter is { } delta ? new RetryConditionHeaderValue(delta) : null;
        using var answer = await GoogleAnswer.ReadAsync(response, streams: false, TimeProvider.System, TestContext.Current.CancellationToken);
        return answer.ToFailure("read bucket:key");
    }
}
