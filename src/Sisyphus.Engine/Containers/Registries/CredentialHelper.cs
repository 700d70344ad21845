using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Sisyphus.Engine.Containers.Registries;

/// <summary>A program that keeps or makes credentials: <c>docker-credential-NAME get</c>, the registry on its input, JSON on its output.</summary>
/// <remarks>
/// https://github.com/docker/docker-credential-helpers#development. What a helper prints never comes into a message, not even when it fails:
/// nobody knows whether the secret is among it.
/// </remarks>
internal sealed class CredentialHelper(string name, RegistrySurroundings surroundings)
{
    private const string Prefix = "docker-credential-";
    // The helpers' common library says it in these words, and the CLI knows it by them.
    private const string NotFound = "credentials not found in native keychain";
    private const string IdentityUser = "<token>";
    private const int LongestAnswer = 1 << 20;

    public string Program => Prefix + name;

    /// <summary>Null: the helper has none for the registry.</summary>
    /// <param name="server">As the CLI names the registry (<see cref="RegistryHost.Key"/>).</param>
    /// <exception cref="RegistryLoginException">Missing, failed, silent or garbled.</exception>
    public async Task<RegistryCredentials?> GetAsync(string server, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(surroundings.HelperLimit);
        using var process = Start();
        try
        {
            var (exitCode, output) = await TalkAsync(process, server, limited.Token).ConfigureAwait(false);
            if (exitCode == 0)
                return Parse(output);
            return output.Trim() == NotFound ? null : throw Failed($"failed with exit code {exitCode}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RegistryLoginException($"the credential helper {Program} did not answer within {surroundings.HelperLimit.TotalSeconds:0.#} s", mayPass: true);
        }
        finally
        {
            End(process);
        }

        RegistryLoginException Failed(string how) =>
            new($"the credential helper {Program} {how}; to see why, run: echo {server} | {Program} get");
    }

    private async Task<(int ExitCode, string Output)> TalkAsync(Process process, string server, CancellationToken cancellationToken)
    {
        // Both at once: a helper that fills one pipe while nobody reads it would wait for ever.
        var errors = process.StandardError.BaseStream.CopyToAsync(Stream.Null, cancellationToken);
        var output = ReadAsync(process.StandardOutput.BaseStream, cancellationToken);
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(server), cancellationToken).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It does not want to know: what it answers counts.
        }
        try
        {
            var answer = await output.ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return (process.ExitCode, answer);
        }
        finally
        {
            End(process);
            await errors.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<string> ReadAsync(Stream output, CancellationToken cancellationToken)
    {
        using var answer = new MemoryStream();
        var buffer = new byte[8192];
        int read;
        while ((read = await output.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            answer.Write(buffer, 0, read);
            if (answer.Length > LongestAnswer)
                throw Garbled();
        }
        return Encoding.UTF8.GetString(answer.GetBuffer(), 0, (int)answer.Length);
    }

    private RegistryCredentials? Parse(string output)
    {
        try
        {
            using var json = JsonDocument.Parse(output);
            var user = json.RootElement.GetProperty("Username").GetString();
            var secret = json.RootElement.GetProperty("Secret").GetString();
            if (string.IsNullOrEmpty(secret))
                return null;
            return user == IdentityUser ? new(null, null, IdentityToken: secret) : new(user, secret);
        }
        catch (Exception garbled) when (garbled is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw Garbled();
        }
    }

    private RegistryLoginException Garbled() => new($"the credential helper {Program} answered something that is not the JSON of credentials");

    private Process Start()
    {
        var start = new ProcessStartInfo(Find(), ["get"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new RegistryLoginException($"the credential helper {start.FileName} can't be started ({error.Message.TrimEnd('.')})", cause: error);
        }
    }

    // Not left to the framework, which would look in the working directory, too: programs there may be anybody's.
    private string Find()
    {
        if (name.AsSpan().IndexOfAny('/', '\\') >= 0)
            throw new RegistryLoginException($"\"{name}\" is not the name of a credential helper: it names a folder");
        string[] endings = surroundings.Windows ? [".exe", ".cmd", ".bat"] : [""];
        var folders = (surroundings.Variable("PATH") ?? "").Split(Path.PathSeparator).Where(Path.IsPathFullyQualified);
        return folders.SelectMany(folder => endings.Select(ending => Path.Combine(folder, Program + ending))).FirstOrDefault(File.Exists)
            ?? throw new RegistryLoginException($"the credential helper {Program} is not on the PATH of this process");
    }

    private static void End(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (Exception gone) when (gone is InvalidOperationException or Win32Exception)
        {
            // Ended by itself meanwhile.
        }
    }
}
