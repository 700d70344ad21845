using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>The metadata server of an EC2 instance, as one that asks for a token first (IMDSv2: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html), on a port of 127.0.0.1. What it gives works at the S3 emulator with the same options.</summary>
public sealed class InstanceEmulator : IAsyncDisposable
{
    private const string Info = "/latest/meta-data/iam/info";
    private const string Roles = "/latest/meta-data/iam/security-credentials";
    private const string TokenHeader = "X-aws-ec2-metadata-token";
    private const string TokenLifeHeader = "X-aws-ec2-metadata-token-ttl-seconds";
    private readonly WebApplication _application;
    private readonly S3EmulatorOptions _options;
    private readonly string _token = Guid.NewGuid().ToString("N");
    private readonly ConcurrentQueue<string> _requests = [];

    private InstanceEmulator(WebApplication application, S3EmulatorOptions options)
    {
        (_application, _options) = (application, options);
        application.Run(AnswerAsync);
    }

    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>Of the instance; null for an instance without.</summary>
    public string? Role { get; init; } = "lab";

    /// <summary>Method, path and status of each request.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public static async Task<InstanceEmulator> StartAsync(S3EmulatorOptions options, string? role = "lab")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        var emulator = new InstanceEmulator(application, options) { Role = role };
        await application.StartAsync();
        return emulator;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var (status, content) = Answer(request.Method, request.Path.Value ?? "", request.Headers);
        _requests.Enqueue($"{request.Method} {request.Path} {status}");
        response.StatusCode = status;
        if (request.Headers[TokenLifeHeader].ToString() is { Length: > 0 } life && status == 200)
            response.Headers[TokenLifeHeader] = life;
        await response.WriteAsync(content);
    }

    private (int Status, string Content) Answer(string method, string path, IHeaderDictionary headers)
    {
        if (path == "/latest/api/token")
        {
            return method != "PUT" ? (405, "") : int.TryParse(headers[TokenLifeHeader].ToString(), out var life) && life is >= 1 and <= 21_600 ? (200, _token) : (400, "");
        }
        if (headers[TokenHeader].ToString() != _token)
            return (401, "");
        return (method, path.TrimEnd('/')) switch
        {
            _ when Role is null => (404, ""),
            ("GET", Info) => (200, JsonSerializer.Serialize(new { Code = "Success", LastUpdated = S3Xml.Time(_options.Time.GetUtcNow()), InstanceProfileArn = $"arn:aws:iam::111122223333:instance-profile/{Role}", InstanceProfileId = "AIPAEXAMPLE" })),
            ("GET", Roles) => (200, Role),
            ("GET", var asked) when asked == $"{Roles}/{Role}" => (200, Credentials()),
            _ => (404, ""),
        };
    }

    private string Credentials()
    {
        var given = _options.Sessions.Issue();
        var now = _options.Time.GetUtcNow();
        return JsonSerializer.Serialize(new { Code = "Success", LastUpdated = S3Xml.Time(now), Type = "AWS-HMAC", AccessKeyId = given.AccessKey, SecretAccessKey = given.Secret, given.Token, Expiration = S3Xml.Time(now + TimeSpan.FromHours(6)) });
    }
}
