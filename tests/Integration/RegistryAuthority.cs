using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sisyphus.Tests.Integration;

/// <summary>A certificate authority of one test and a server's certificate by it.</summary>
public sealed class RegistryAuthority : IDisposable
{
    // Read by the engine at each pull: https://docs.docker.com/engine/security/certificates/
    private const string EngineFolder = "/etc/docker/certs.d";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sisyphus-authority-");
    private readonly List<string> _trusted = [];
    private readonly string _authority;

    public RegistryAuthority(IPAddress host)
    {
        var (from, to) = (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=registry test authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = authorityRequest.CreateSelfSigned(from, to);
        _authority = authority.ExportCertificatePem();

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=registry", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(host);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, from, to.AddMinutes(-1), RandomNumberGenerator.GetBytes(8));
        Certificate = Write("server.crt", certificate.ExportCertificatePem());
        Key = Write("server.key", key.ExportPkcs8PrivateKeyPem());
    }

    public string Certificate { get; }
    public string Key { get; }

    /// <summary>Makes the engine of this machine believe the authority, for one registry, until the end of the test.</summary>
    public void Trust(string registry)
    {
        var folder = Path.Combine(EngineFolder, registry);
        _trusted.Add(folder);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "ca.crt"), _authority);
    }

    public void Dispose()
    {
        foreach (var folder in _trusted)
            Directory.Delete(folder, recursive: true);
        try
        {
            if (_trusted.Count > 0)
                Directory.Delete(EngineFolder);
        }
        catch (IOException)
        {
            // Not empty: others have certificates there, too.
        }
        _folder.Delete(recursive: true);
    }

    private string Write(string name, string pem)
    {
        var file = Path.Combine(_folder.FullName, name);
        File.WriteAllText(file, pem);
        return file;
    }
}
