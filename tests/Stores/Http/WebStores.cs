using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Http;
using Sisyphus.Engine.Storage.Transfers;

namespace Sisyphus.Tests.Stores.Http;

/// <summary>Stores of web servers.</summary>
internal static class WebStores
{
    public static readonly TransferOptions Quick = new() { BaseDelay = TimeSpan.FromMilliseconds(1), StallTimeout = TimeSpan.FromSeconds(1) };

    public static HttpObjectStore Open(string scheme = "http", HostGuard? guard = null) =>
        new(scheme, guard ?? HostGuard.None, HttpClients.Of(guard ?? HostGuard.None), new StoreParts { Transfers = Quick });

    /// <summary>One that trusts a certificate of the test's own.</summary>
    public static HttpObjectStore OpenSecure(X509Certificate2 trusted)
    {
        var handler = HttpClients.Handler(HostGuard.None);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == trusted.GetCertHashString();
        return new HttpObjectStore("https", HostGuard.None, new HttpClient(handler), new StoreParts { Transfers = Quick });
    }

    public static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }
}
