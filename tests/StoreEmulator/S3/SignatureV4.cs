using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>Checks a request's signature (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).</summary>
internal sealed class SignatureV4
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private static readonly TimeSpan LargestSkew = TimeSpan.FromMinutes(15);
    private static readonly string EmptyHash = Hex(SHA256.HashData([]));
    private readonly byte[] _key;
    private readonly string _scope;
    private readonly string _time;

    private SignatureV4(byte[] key, string scope, string time, string signature, string payload)
    {
        _key = key;
        _scope = scope;
        _time = time;
        Signature = signature;
        Payload = payload;
    }

    /// <summary>Of the request, and then of each chunk that was checked.</summary>
    public string Signature { get; private set; }

    /// <summary><c>x-amz-content-sha256</c>: a hash of the content, or how it is sent.</summary>
    public string Payload { get; }

    public static SignatureV4 Verify(S3Request request, S3EmulatorOptions options) =>
        Verify(request, options, "s3", () => request.Header("x-amz-content-sha256") ?? throw S3Error.Invalid("Missing required header for this request: x-amz-content-sha256"));

    /// <param name="service">As the scope names it.</param>
    /// <param name="hash">Of the content, as the signature has it.</param>
    public static SignatureV4 Verify(S3Request request, S3EmulatorOptions options, string service, Func<string> hash)
    {
        var fields = Fields(request.Header("Authorization") ?? throw new S3Error(403, "AccessDenied", "Anonymous access is forbidden for this operation"));
        var time = request.Header("x-amz-date") ?? throw new S3Error(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
        var scope = fields["Credential"].Split('/', 2) is [var accessKey, var rest] ? rest : throw Malformed("the Credential is mal-formed");
        if (scope.Split('/') is not [var date, var region, var signedFor, "aws4_request"] || signedFor != service || !time.StartsWith(date, StringComparison.Ordinal))
            throw Malformed("the Credential is mal-formed");
        if (region != options.Region)
            throw new S3Error(400, "AuthorizationHeaderMalformed", $"The authorization header is malformed; the region '{region}' is wrong; expecting '{options.Region}'") { Elements = { ["Region"] = options.Region } };
        var session = options.Sessions.Find(accessKey);
        if (accessKey != options.AccessKey && session is null)
            throw new S3Error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.") { Elements = { ["AWSAccessKeyId"] = accessKey } };
        var now = options.Time.GetUtcNow();
        if (!DateTimeOffset.TryParseExact(time, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var sent) || (now - sent).Duration() > LargestSkew)
        {
            throw new S3Error(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
            {
                Elements = { ["RequestTime"] = time, ["ServerTime"] = now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), ["MaxAllowedSkewMilliseconds"] = "900000" },
                Headers = { ["Date"] = now.ToString("R", CultureInfo.InvariantCulture) },
            };
        }
        if (session is { IsOver: true } || ((session?.Token ?? options.SessionToken) is { } token && request.Header("x-amz-security-token") != token))
            throw new S3Error(400, "ExpiredToken", "The provided token has expired.");
        var payload = hash();
        var signed = fields["SignedHeaders"].Split(';');
        foreach (var needed in request.Headers.Select(header => header.Key).Where(name => name.StartsWith("x-amz-", StringComparison.Ordinal) || name == "host"))
        {
            if (!signed.Contains(needed))
                throw new S3Error(403, "AccessDenied", $"There were headers present in the request which were not signed: {needed}");
        }
        var key = new[] { date, region, service, "aws4_request" }.Aggregate(Encoding.UTF8.GetBytes("AWS4" + (session?.Secret ?? options.SecretKey)), Hmac);
        var verifier = new SignatureV4(key, scope, time, fields["Signature"], payload);
        var canonical = string.Join('\n',
            request.Method,
            Encode(S3Request.Decode(request.RawPath, false), keepSlash: true),
            string.Join('&', request.Query.Select(pair => (Name: Encode(pair.Name, false), Value: Encode(pair.Value, false))).OrderBy(pair => pair.Name, StringComparer.Ordinal).ThenBy(pair => pair.Value, StringComparer.Ordinal).Select(pair => $"{pair.Name}={pair.Value}")),
            string.Concat(signed.Select(name => $"{name}:{Collapse(request.Header(name) ?? "")}\n")),
            fields["SignedHeaders"],
            payload);
        if (verifier.Sign(Algorithm, Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))) != fields["Signature"])
            throw new S3Error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.");
        return verifier;
    }

    /// <summary>https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html</summary>
    public void VerifyChunk(ReadOnlySpan<byte> chunk, string signature) =>
        Follow(Sign("AWS4-HMAC-SHA256-PAYLOAD", $"{Signature}\n{EmptyHash}\n{Hex(SHA256.HashData(chunk))}"), signature);

    /// <summary>https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html</summary>
    public void VerifyTrailer(string trailer, string signature) =>
        Follow(Sign("AWS4-HMAC-SHA256-TRAILER", $"{Signature}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(trailer)))}"), signature);

    private void Follow(string expected, string signature)
    {
        if (expected != signature)
            throw new S3Error(403, "SignatureDoesNotMatch", "The chunk signature we calculated does not match the signature you provided.");
        Signature = signature;
    }

    private string Sign(string kind, string what) => Hex(Hmac(_key, $"{kind}\n{_time}\n{_scope}\n{what}"));

    private static Dictionary<string, string> Fields(string header)
    {
        if (!header.StartsWith(Algorithm + " ", StringComparison.Ordinal))
            throw S3Error.Invalid("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
        var fields = header[Algorithm.Length..].Split(',').Select(field => field.Trim().Split('=', 2)).Where(field => field.Length == 2).ToDictionary(field => field[0], field => field[1]);
        return fields.ContainsKey("Credential") && fields.ContainsKey("SignedHeaders") && fields.ContainsKey("Signature") ? fields : throw Malformed("a part is missing");
    }

    private static S3Error Malformed(string what) => new(400, "AuthorizationHeaderMalformed", $"The authorization header is malformed; {what}.");

    private static string Collapse(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private static string Encode(string text, bool keepSlash)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~' || (keepSlash && b == '/'))
                encoded.Append((char)b);
            else
                encoded.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        return encoded.ToString();
    }
}
