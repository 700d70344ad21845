using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>TLS of one attempt to connect to one host. The broker's certificate is verified, and why it was refused is kept: the exception does not say.</summary>
internal sealed class BrokerTls(BrokerAddress address, string host) : IDisposable
{
    private readonly X509Certificate2Collection _own = [];
    private readonly X509Certificate2Collection _authorities = [];

    /// <summary>Why the broker's certificate was refused; null when it was not.</summary>
    public string? Refusal { get; private set; }

    /// <exception cref="UnusableFileException"/>
    public SslClientAuthenticationOptions Options()
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host, RemoteCertificateValidationCallback = Verify };
        if (address.AuthorityFile is { } authorities)
            Read(authorities, "the authorities", () => _authorities.ImportFromPemFile(authorities));
        if (_authorities.Count == 0 && address.AuthorityFile is not null)
            throw new UnusableFileException($"the file of authorities {address.AuthorityFile} has no certificate in PEM form");
        if (address.CertificateFile is null)
            return options;
        var own = Read(address.CertificateFile, "the client certificate", OwnCertificate);
        options.ClientCertificateContext = SslStreamCertificateContext.Create(own, _own, offline: true);
        return options;
    }

    public void Dispose()
    {
        foreach (var certificate in _own.Concat(_authorities))
            certificate.Dispose();
    }

    private X509Certificate2 OwnCertificate()
    {
        var path = address.CertificateFile!;
        if (X509Certificate2.GetCertContentType(path) == X509ContentType.Pkcs12)
        {
            _own.AddRange(X509CertificateLoader.LoadPkcs12CollectionFromFile(path, null));
            return _own.FirstOrDefault(certificate => certificate.HasPrivateKey) ?? throw new UnusableFileException($"the client certificate {path} has no private key");
        }
        using var pem = X509Certificate2.CreateFromPemFile(path, address.KeyFile);
        // The chain's other certificates, for brokers that know only the root.
        _own.ImportFromPemFile(path);
        // Windows' TLS takes no key that was never stored (https://github.com/dotnet/runtime/issues/23749).
        var own = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        _own.Add(own);
        return own;
    }

    private bool Verify(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Refusal = certificate is X509Certificate2 given && chain is not null ? WhyNot(given, chain, errors) : "the broker shows none";
        return Refusal is null;
    }

    private string? WhyNot(X509Certificate2 certificate, X509Chain chain, SslPolicyErrors errors)
    {
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return "the broker shows none";
        var now = DateTime.Now;
        if (now > certificate.NotAfter)
            return $"it has expired ({certificate.NotAfter.ToUniversalTime():u}). Renew it, or set this machine's clock";
        if (now < certificate.NotBefore)
            return $"it is not valid yet ({certificate.NotBefore.ToUniversalTime():u}). Wait, or set this machine's clock";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return $"it is not for '{host}' but for {Names(certificate)}. Use that name in the address";
        if (address.AuthorityFile is null)
            return errors == SslPolicyErrors.None ? null : $"this machine does not trust it ({Status(chain)}). Name its authority with cacertfile=";
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        // Not for a client, whatever else it says (RFC 5280, 4.2.1.12).
        own.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        foreach (var element in chain.ChainElements.Skip(1))
            own.ChainPolicy.ExtraStore.Add(element.Certificate);
        return own.Build(certificate) ? null : $"it is not from an authority in {address.AuthorityFile} ({Status(own)}). Name the right file with cacertfile=";
    }

    private static string Names(X509Certificate2 certificate)
    {
        string[] names = [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension => extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(ip => ip.ToString())))];
        return names.Length > 0 ? string.Join(", ", names) : $"none that counts (its subject is {certificate.Subject})";
    }

    private static string Status(X509Chain chain) =>
        string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim().TrimEnd('.')).Where(text => text.Length > 0).Distinct());

    private static void Read(string path, string what, Action read) => Read(path, what, () =>
    {
        read();
        return true;
    });

    private static T Read<T>(string path, string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new UnusableFileException($"{what} in {path} can't be read ({error.Message.TrimEnd('.')})", error);
        }
    }
}
