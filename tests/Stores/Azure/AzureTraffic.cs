using System.Text;
using Microsoft.AspNetCore.Http;
using Sisyphus.Tests.StoreEmulator.Faults;

namespace Sisyphus.Tests.Stores.Azure;

/// <summary>What requests to the service are called, and how it says no.</summary>
internal static class AzureTraffic
{
    public static Task<ForwardingServer> StartAsync(Azurite server) => ForwardingServer.StartAsync(server.Endpoint, NameOf, RefuseAsync);

    private static string NameOf(HttpRequest request) => (request.Method, request.Query["comp"].ToString(), request.Headers.ContainsKey("x-ms-copy-source")) switch
    {
        ("PUT", "block", true) => "PutBlockFromUrl",
        ("PUT", "block", _) => "PutBlock",
        ("PUT", "blocklist", _) => "PutBlockList",
        ("GET", "blocklist", _) => "GetBlockList",
        ("PUT", "", true) => "CopyBlobFromUrl",
        ("PUT", "", _) => "PutBlob",
        ("GET", "list", _) => "ListBlobs",
        ("GET", "", _) => "GetBlob",
        ("HEAD", "", _) => "GetBlobProperties",
        ("DELETE", "", _) => "DeleteBlob",
        _ => "Other",
    };

    private static async Task RefuseAsync(HttpContext context, int status)
    {
        var (code, message) = status switch
        {
            401 => ("InvalidAuthenticationInfo", "Server failed to authenticate the request."),
            // What it says of a source that it could not look at.
            403 or 500 when context.Request.Headers.ContainsKey("x-ms-copy-source") => ("CannotVerifyCopySource", "Could not verify the copy source within the specified time."),
            403 => ("AuthorizationFailure", "This request is not authorized to perform this operation."),
            503 => ("ServerBusy", "The server is busy."),
            429 => ("TooManyRequests", "Too many requests."),
            _ => ("InternalError", "The server encountered an internal error. Please retry the request."),
        };
        context.Response.StatusCode = status;
        context.Response.Headers["x-ms-error-code"] = code;
        context.Response.ContentType = "application/xml";
        if (context.Request.Method != "HEAD")
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"), context.RequestAborted);
    }
}
