using System.Net;
using System.Net.Sockets;

using Docker.DotNet;

using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

/// <summary>What a test run by root, or on a healthy engine, can't bring about.</summary>
public sealed class EngineErrorsTests
{
    private static readonly EngineEndpoint Endpoint = new(new("unix:///var/run/docker.sock"), null, "default");

    [Fact]
    public void Describe_NoPermission_NamesSocketAndGroup()
    {
        var failure = Describe(new HttpRequestException("Connection failed.", new SocketException((int)SocketError.AccessDenied)));
        Assert.Equal(FailureReason.EngineUnavailable, failure!.Reason);
        Assert.Contains("unix:///var/run/docker.sock", failure.Message, StringComparison.Ordinal);
        Assert.Contains("usermod -aG docker", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, """{"message":"write /x: no space left on device"}""", FailureReason.DiskFull)]
    [InlineData(HttpStatusCode.InternalServerError, """{"message":"boom"}""", FailureReason.EngineUnavailable)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "", FailureReason.EngineUnavailable)]
    [InlineData(HttpStatusCode.Forbidden, "authorization denied by plugin", FailureReason.EngineUnavailable)]
    [InlineData(HttpStatusCode.BadRequest, """{"message":"what?"}""", FailureReason.Internal)]
    public void Describe_Answer_HasItsReason(HttpStatusCode status, string body, FailureReason reason) =>
        Assert.Equal(reason, Describe(new DockerApiException(status, body))!.Reason);

    [Fact]
    public void Describe_SomebodyElsesException_IsNone() => Assert.Null(Describe(new InvalidOperationException()));

    [Fact]
    public void Describe_FailureInside_IsThatFailure()
    {
        var inner = new TaskFailureException(FailureReason.ImageNotFound, "x");
        Assert.Same(inner, Describe(new HttpRequestException("y", inner)));
    }

    private static TaskFailureException? Describe(Exception exception) => EngineErrors.Describe(exception, Endpoint, "do it");
}
