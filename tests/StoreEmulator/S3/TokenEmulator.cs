using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Web;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Sisyphus.Tests.StoreEmulator.Faults;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>The services of AWS that hand out credentials, on a port of 127.0.0.1: STS, single sign-on and its tokens. What they give works at the S3 emulator with the same options.</summary>
public sealed class TokenEmulator : IAsyncDisposable
{
    private const string Namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
    private readonly WebApplication _application;
    private readonly S3EmulatorOptions _options;
    private readonly ConcurrentQueue<TokenSeen> _requests = [];
    private readonly ConcurrentQueue<Fault> _faults = [];

    private TokenEmulator(WebApplication application, S3EmulatorOptions options)
    {
        (_application, _options) = (application, options);
        application.Run(AnswerAsync);
    }

    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>Roles that may be assumed, and the external id that each asks for, or nothing.</summary>
    public ConcurrentDictionary<string, string> Roles { get; } = [];

    /// <summary>Tokens of another identity provider; false for those that have expired.</summary>
    public ConcurrentDictionary<string, bool> WebTokens { get; } = [];

    /// <summary>Access tokens of people who are logged in.</summary>
    public ConcurrentDictionary<string, bool> SignedOn { get; } = [];

    /// <summary>Refresh tokens, and the access token that each gives.</summary>
    public ConcurrentDictionary<string, string> Refreshes { get; } = [];

    /// <summary>"account/role" that people may use.</summary>
    public string SignOnRole { get; init; } = "111122223333/reader";

    /// <summary>Of what is handed out.</summary>
    public TimeSpan Life { get; set; } = TimeSpan.FromHours(1);

    public IReadOnlyCollection<TokenSeen> Requests => _requests;

    public static async Task<TokenEmulator> StartAsync(S3EmulatorOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        var emulator = new TokenEmulator(application, options);
        await application.StartAsync();
        return emulator;
    }

    public void Inject(Fault fault) => _faults.Enqueue(fault);

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var content = body.ToArray();
        switch (context.Request.Path.Value)
        {
            case "/":
                var form = HttpUtility.ParseQueryString(System.Text.Encoding.UTF8.GetString(content));
                await AnswerAsync(context, form["Action"] ?? "", () => TokensAsync(context, form["Action"] ?? "", form["RoleArn"] ?? "", form["RoleSessionName"] ?? "", form["ExternalId"], form["WebIdentityToken"], content), TellXmlAsync);
                break;
            case "/federation/credentials":
                await AnswerAsync(context, "GetRoleCredentials", () => SignOnAsync(context), TellJsonAsync);
                break;
            case "/token":
                await AnswerAsync(context, "CreateToken", () => RefreshAsync(context, content), TellJsonAsync);
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }

    private async Task AnswerAsync(HttpContext context, string operation, Func<Task> answer, Func<HttpContext, S3Error, Task> tell)
    {
        try
        {
            if (_faults.FirstOrDefault(fault => fault.Strikes(operation, context.Request.Path)) is { } fault)
                await Trouble.AnswerAsync(context, fault, answer, status => tell(context, new S3Error(status, status == 401 ? "UnauthorizedException" : "InternalFailure", "We encountered an internal error.")));
            else
                await answer();
        }
        catch (S3Error error)
        {
            await tell(context, error);
        }
    }

    private async Task TokensAsync(HttpContext context, string action, string role, string session, string? externalId, string? webToken, byte[] content)
    {
        var request = new S3Request(context, _options);
        var scope = request.Header("Authorization") is { } authorization ? authorization.Split("Credential=")[1].Split(',')[0].Split('/') : ["", "", ""];
        _requests.Enqueue(new TokenSeen(action, role, scope[0], scope[2], session));
        switch (action)
        {
            case "AssumeRole":
                Verify(request, content);
                if (!Roles.TryGetValue(role, out var asked) || (asked.Length > 0 && asked != externalId))
                    throw new S3Error(403, "AccessDenied", $"User: arn:aws:iam::111122223333:user/test is not authorized to perform: sts:AssumeRole on resource: {role}");
                break;
            case "AssumeRoleWithWebIdentity":
                if (scope[0].Length > 0)
                    throw new S3Error(400, "ValidationError", "This request is not to be signed.");
                if (!WebTokens.TryGetValue(webToken ?? "", out var valid))
                    throw new S3Error(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://issuer.example");
                if (!valid)
                    throw new S3Error(400, "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time");
                if (!Roles.ContainsKey(role))
                    throw new S3Error(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
                break;
            default:
                throw new S3Error(400, "InvalidAction", $"Could not find operation {action} for version 2011-06-15");
        }
        if (session.Length is < 2 or > 64)
            throw new S3Error(400, "ValidationError", "The session's name has 2 to 64 characters.");
        var given = _options.Sessions.Issue();
        await SendAsync(context, 200, "text/xml", $"""
            <{action}Response xmlns="{Namespace}"><{action}Result><AssumedRoleUser><Arn>{role}/{session}</Arn><AssumedRoleId>AROA:{session}</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{given.AccessKey}</AccessKeyId><SecretAccessKey>{given.Secret}</SecretAccessKey><SessionToken>{given.Token}</SessionToken><Expiration>{S3Xml.Time(_options.Time.GetUtcNow() + Life)}</Expiration></Credentials></{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>
            """);
    }

    private void Verify(S3Request request, byte[] content)
    {
        try
        {
            SignatureV4.Verify(request, _options, "sts", () => Convert.ToHexStringLower(SHA256.HashData(content)));
        }
        catch (S3Error unknown) when (unknown.Code == "InvalidAccessKeyId")
        {
            throw new S3Error(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
        }
    }

    private Task SignOnAsync(HttpContext context)
    {
        var role = $"{context.Request.Query["account_id"]}/{context.Request.Query["role_name"]}";
        _requests.Enqueue(new TokenSeen("GetRoleCredentials", role, "", "", ""));
        if (!SignedOn.ContainsKey(context.Request.Headers["x-amz-sso_bearer_token"].ToString()))
            throw new S3Error(401, "UnauthorizedException", "Session token not found or invalid");
        if (role != SignOnRole)
            throw new S3Error(403, "ForbiddenException", "No access");
        var given = _options.Sessions.Issue();
        return SendAsync(context, 200, "application/json", JsonSerializer.Serialize(new
        {
            roleCredentials = new { accessKeyId = given.AccessKey, secretAccessKey = given.Secret, sessionToken = given.Token, expiration = (_options.Time.GetUtcNow() + Life).ToUnixTimeMilliseconds() },
        }));
    }

    private Task RefreshAsync(HttpContext context, byte[] content)
    {
        _requests.Enqueue(new TokenSeen("CreateToken", "", "", "", ""));
        using var asked = JsonDocument.Parse(content);
        if (asked.RootElement.GetProperty("grantType").GetString() != "refresh_token" || !Refreshes.TryGetValue(asked.RootElement.GetProperty("refreshToken").GetString()!, out var token))
            throw new S3Error(400, "InvalidGrantException", "Invalid refresh token");
        SignedOn[token] = true;
        return SendAsync(context, 200, "application/json", JsonSerializer.Serialize(new { accessToken = token, tokenType = "Bearer", expiresIn = 3600, refreshToken = "refresh-again" }));
    }

    private static Task TellXmlAsync(HttpContext context, S3Error error) =>
        SendAsync(context, error.Status, "text/xml", $"<ErrorResponse xmlns=\"{Namespace}\"><Error><Type>Sender</Type><Code>{error.Code}</Code><Message>{error.Message}</Message></Error><RequestId>1</RequestId></ErrorResponse>");

    private static Task TellJsonAsync(HttpContext context, S3Error error)
    {
        context.Response.Headers["x-amzn-ErrorType"] = error.Code;
        return SendAsync(context, error.Status, "application/json", JsonSerializer.Serialize(new { message = error.Message }));
    }

    private static async Task SendAsync(HttpContext context, int status, string type, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.WriteAsync(text);
    }
}
