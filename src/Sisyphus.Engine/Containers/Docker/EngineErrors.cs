using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;

using Docker.DotNet;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>What goes wrong between us and the engine, in words that help.</summary>
internal static class EngineErrors
{
    /// <summary>The failure that the exception of a call stands for; null when it is none of the engine's (a caller's stream, a defect).</summary>
    public static TaskFailureException? Describe(Exception exception, EngineEndpoint endpoint, string action)
    {
        for (var cause = exception; cause is not null; cause = cause is AggregateException { InnerExceptions: [var first, ..] } ? first : cause.InnerException)
        {
            switch (cause)
            {
                case TaskFailureException failure:
                    return failure;
                case DockerApiException { StatusCode: HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed } when action == EngineCalls.Greeting:
                    return NoEngine(endpoint, exception);
                case DockerApiException answer:
                    return Refused(answer, action);
                case SocketException socket:
                    return Unreachable(socket, exception, endpoint, action);
                case AuthenticationException:
                    return Unavailable($"The TLS connection to the container engine at {endpoint} failed: {cause.Message} Check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH (or the context) and the host name in the address.", exception);
                case JsonException:
                    return NoEngine(endpoint, exception);
                case HttpRequestException { InnerException: null } when cause.Message.StartsWith("Invalid ", StringComparison.Ordinal) || cause.Message.StartsWith("The given header", StringComparison.Ordinal):
                    return NoEngine(endpoint, exception);
                case TimeoutException:
                    return Unavailable($"The container engine at {endpoint} did not answer in time: could not {action}. See 'systemctl status docker' and the load of the machine.", exception);
            }
        }
        return exception switch
        {
            // InvalidOperationException: the library found no response line.
            InvalidOperationException or ArgumentOutOfRangeException when action == EngineCalls.Greeting => NoEngine(endpoint, exception),
            HttpRequestException or IOException or ObjectDisposedException => Unavailable($"The connection to the container engine at {endpoint} broke: could not {action}. See 'systemctl status docker'.", exception),
            _ => null,
        };
    }

    /// <summary>The engine's answer behind a failure; null when it gave none.</summary>
    public static DockerApiException? Answer(this TaskFailureException failure) => failure.InnerException as DockerApiException;

    /// <summary>The engine knows no such thing (any more).</summary>
    public static bool IsNotFound(this TaskFailureException failure) => failure.Answer() is { StatusCode: HttpStatusCode.NotFound };

    /// <summary>The engine's own sentence without the JSON around it.</summary>
    public static string Sentence(DockerApiException answer)
    {
        var body = answer.ResponseBody ?? "";
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String)
                return message.GetString()!.Trim();
        }
        catch (JsonException)
        {
            // Not the engine's form: taken as it is.
        }
        return body.Length is > 0 and <= 1000 ? body.Trim() : $"status {(int)answer.StatusCode}";
    }

    private static TaskFailureException Refused(DockerApiException answer, string action)
    {
        var sentence = Sentence(answer);
        if (sentence.Contains("no space left on device", StringComparison.OrdinalIgnoreCase))
            return new(FailureReason.DiskFull, $"The container engine's disk is full: could not {action}: {sentence}", answer);
        if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            return Unavailable($"The container engine refuses us: could not {action}: {sentence}. Its address wants other credentials or certificates.", answer);
        return answer.StatusCode >= HttpStatusCode.InternalServerError
            ? Unavailable($"The container engine could not {action}: {sentence}", answer)
            : new(FailureReason.Internal, $"The container engine would not {action}: {sentence}", answer);
    }

    private static TaskFailureException Unreachable(SocketException socket, Exception exception, EngineEndpoint endpoint, string action) => socket.SocketErrorCode switch
    {
        SocketError.AccessDenied => Unavailable($"No permission to use the container engine's socket {endpoint}. Add the user to its group ('sudo usermod -aG docker $USER', then log in again), run rootless Docker, or set DOCKER_HOST to an engine that this user may use.", exception),
        SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted => Unavailable($"The container engine at {endpoint} closed the connection: could not {action}. See 'systemctl status docker'.", exception),
        SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => Unavailable($"The host of the container engine's address {endpoint} is not known: {socket.Message}.", exception),
        _ => Unavailable($"No container engine answers at {endpoint}: {socket.Message}. Start it ('sudo systemctl start docker'), install one ('sudo apt-get install docker.io', or see https://docs.docker.com/engine/install/), or set DOCKER_HOST to where it listens.", exception),
    };

    private static TaskFailureException NoEngine(EngineEndpoint endpoint, Exception exception) =>
        Unavailable($"Something answers at {endpoint}, but it is not a container engine with the Docker API. Set DOCKER_HOST to where the engine listens.", exception);

    private static TaskFailureException Unavailable(string message, Exception cause) => new(FailureReason.EngineUnavailable, message, cause);
}
