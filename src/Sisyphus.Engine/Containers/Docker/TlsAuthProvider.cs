using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

using Docker.DotNet.Handler.Abstractions;

using Microsoft.Net.Http.Client;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>TLS with the certificate files of the docker CLI: <c>ca.pem</c> to verify the server, <c>cert.pem</c> and <c>key.pem</c> to show who we are.</summary>
internal sealed class TlsAuthProvider : IAuthProvider, IDisposable
{
    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2? _client;
    private readonly bool _verify;

    public TlsAuthProvider(EngineTls tls)
    {
        _verify = tls.Verify;
        if (tls.Directory is not { } directory)
            return;
        try
        {
            var ca = Path.Combine(directory, "ca.pem");
            if (File.Exists(ca))
                (_authorities = []).ImportFromPemFile(ca);
            var certificate = Path.Combine(directory, "cert.pem");
            var key = Path.Combine(directory, "key.pem");
            if (File.Exists(certificate) && File.Exists(key))
                _client = LoadPair(certificate, key);
        }
        catch (Exception unreadable) when (unreadable is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new TaskFailureException(FailureReason.EngineUnavailable,
                $"The certificates for the container engine in {directory} (ca.pem, cert.pem, key.pem) can't be read: {unreadable.Message}", unreadable);
        }
    }

    public bool TlsEnabled => true;

    public HttpMessageHandler ConfigureHandler(HttpMessageHandler handler)
    {
        var managed = (ManagedHandler)handler;
        managed.ServerCertificateValidationCallback = IsTrusted;
        if (_client is not null)
            managed.ClientCertificates = new X509Certificate2Collection(_client);
        return managed;
    }

    public void Dispose()
    {
        _client?.Dispose();
        foreach (var authority in _authorities ?? [])
            authority.Dispose();
    }

    private bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (!_verify || errors == SslPolicyErrors.None)
            return true;
        // A wrong name or no certificate at all stays wrong whoever signed it.
        if (_authorities is null || certificate is null || errors != SslPolicyErrors.RemoteCertificateChainErrors)
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (presented is not null)
            chain.ChainPolicy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
        using var server = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(server);
    }

    private static X509Certificate2 LoadPair(string certificate, string key)
    {
        var pair = X509Certificate2.CreateFromPemFile(certificate, key);
        if (!OperatingSystem.IsWindows())
            return pair;
        // Windows' TLS can't use a key that lives in memory only.
        using (pair)
            return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
    }
}
