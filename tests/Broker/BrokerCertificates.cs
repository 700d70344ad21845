using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sisyphus.Tests.Broker;

/// <summary>An authority, a server certificate and a client certificate, as PEM files in a folder of their own.</summary>
public sealed class BrokerCertificates : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sisyphus-certificates-");
    private readonly X509Certificate2 _authority;

    /// <param name="name">Whose server certificate it is; that of 127.0.0.1 and localhost when null.</param>
    /// <param name="serverExpires">End of its validity; tomorrow when null.</param>
    /// <param name="user">Common name of the client certificate.</param>
    public BrokerCertificates(string? name = null, DateTimeOffset? serverExpires = null, string user = "guest")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
        File.WriteAllText(AuthorityPath, _authority.ExportCertificatePem());
        Issue("CN=server", "server", name, serverExpires);
        Issue("CN=" + user, "client", null, null);
    }

    public string AuthorityPath => PathOf("authority.pem");
    public string ServerPath => PathOf("server.pem");
    public string ServerKeyPath => PathOf("server.key");
    public string ClientPath => PathOf("client.pem");
    public string ClientKeyPath => PathOf("client.key");

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    private string PathOf(string file) => Path.Combine(_folder.FullName, file);

    private void Issue(string subject, string file, string? name, DateTimeOffset? expires)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (name is null)
            names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName(name ?? "localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var issued = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-1), expires ?? DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(PathOf(file + ".pem"), issued.ExportCertificatePem());
        File.WriteAllText(PathOf(file + ".key"), key.ExportPkcs8PrivateKeyPem());
    }
}
