using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.S3;

public sealed class S3SettingsTests
{
    [Theory]
    [InlineData("s3:", "", null, null, false, null, "s3://")]
    [InlineData("s3:?region=eu-central-1&profile=lab", "", null, "eu-central-1", false, "lab", "s3://")]
    [InlineData("s3:?endpoint=https%3A%2F%2Fminio.lab:9000", "", "https://minio.lab:9000/", null, true, null, "s3://minio.lab:9000")]
    [InlineData("s3:?endpoint=https://minio.lab&path-style=false", "", "https://minio.lab/", null, false, null, "s3://minio.lab")]
    [InlineData("s3:?path-style=true", "", null, null, true, null, "s3://")]
    [InlineData("s3:", "AWS_ENDPOINT_URL=https://a:1 AWS_REGION=r", "https://a:1/", "r", true, null, "s3://a:1")]
    [InlineData("s3:", "AWS_ENDPOINT_URL=https://a:1 AWS_ENDPOINT_URL_S3=http://127.0.0.1:2", "http://127.0.0.1:2/", null, true, null, "s3://127.0.0.1:2")]
    [InlineData("s3:", "AWS_ENDPOINT_URL=https://a:1 AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", null, null, false, null, "s3://")]
    [InlineData("s3:?endpoint=http://localhost:3&region=x", "AWS_ENDPOINT_URL=https://a:1 AWS_REGION=r", "http://localhost:3/", "x", true, null, "s3://localhost:3")]
    public void Of_LocationAndEnvironment_GivesSettings(string location, string environment, string? endpoint, string? region, bool pathStyle, string? profile, string name)
    {
        var settings = S3Settings.Of(StoreLocation.Parse(location), Parts(environment));
        Assert.Equal((endpoint, region, pathStyle, profile, name), (settings.Endpoint?.AbsoluteUri, settings.Region, settings.PathStyle, settings.Profile, settings.Name));
    }

    [Theory]
    [InlineData("s3:account", "", "s3://BUCKET")]
    [InlineData("s3:?regions=x", "", "'regions'")]
    [InlineData("s3:?path-style=yes", "", "path-style")]
    [InlineData("s3:?endpoint=minio.lab", "", "endpoint")]
    [InlineData("s3:?endpoint=http://user:secret@minio.lab", "", "endpoint")]
    [InlineData("s3:?endpoint=http://minio.lab:9000", "", "'endpoint' of an s3: location has to be https")]
    [InlineData("s3:", "AWS_ENDPOINT_URL_S3=http://minio.lab:9000", "AWS_ENDPOINT_URL_S3 has to be https")]
    [InlineData("s3:?region=eu central", "", "'eu central'")]
    [InlineData("s3:", "AWS_ENDPOINT_URL=http://user:secret@minio.lab", "AWS_ENDPOINT_URL")]
    public void Of_Nonsense_SaysWhatIsWrongWithoutSecrets(string location, string environment, string says)
    {
        var error = Assert.Throws<FormatException>(() => S3Settings.Of(StoreLocation.Parse(location), Parts(environment)));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s3:?profile=lab", "", "https://minio.lab:9000/")]
    [InlineData("s3:", "AWS_PROFILE=lab", "https://minio.lab:9000/")]
    [InlineData("s3:", "", "https://standard.lab/")]
    [InlineData("s3:?profile=plain", "", null)]
    [InlineData("s3:?profile=ignores", "", null)]
    [InlineData("s3:?profile=missing", "", null)]
    [InlineData("s3:?profile=lab", "AWS_ENDPOINT_URL=https://a:1", "https://a:1/")]
    [InlineData("s3:?profile=lab&endpoint=https://b:2", "", "https://b:2/")]
    [InlineData("s3:?profile=lab", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", null)]
    public void Of_ProfileWithAnAddress_IsThatServer(string location, string environment, string? endpoint)
    {
        using var folder = Profiles();
        var settings = S3Settings.Of(StoreLocation.Parse(location), Parts($"AWS_SHARED_CREDENTIALS_FILE={folder["credentials"]} {environment}"));
        Assert.Equal((endpoint, endpoint is not null), (settings.Endpoint?.AbsoluteUri, settings.PathStyle));
    }

    [Theory, InlineData("clear", "profile 'clear' has to be https"), InlineData("services", "section of services")]
    public void Of_ProfileWithAnAddressThatCannotBe_SaysWhy(string profile, string says)
    {
        using var folder = Profiles();
        var error = Assert.Throws<FormatException>(() => S3Settings.Of(StoreLocation.Parse($"s3:?profile={profile}"), Parts($"AWS_SHARED_CREDENTIALS_FILE={folder["credentials"]}")));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_LocationOfS3_IsAStoreWithoutAnyRequest() =>
        Assert.Equal("s3://127.0.0.1:1", new StoreOpener(Parts(""), "s3:?endpoint=http://127.0.0.1:1").OpenAll().Name);

    private static TemporaryFolder Profiles()
    {
        var folder = new TemporaryFolder();
        File.WriteAllText(folder["credentials"], "[plain]\naws_access_key_id = id\naws_secret_access_key = key\n");
        File.WriteAllText(
            folder["config"],
            "[default]\nendpoint_url = https://standard.lab\n[profile lab]\nendpoint_url = https://minio.lab:9000\n[profile ignores]\nendpoint_url = https://minio.lab:9000\nignore_configured_endpoint_urls = true\n"
            + "[profile clear]\nendpoint_url = http://minio.lab:9000\n[profile services]\nservices = own\n[services own]\ns3 =\n  endpoint_url = https://minio.lab:9000\n");
        return folder;
    }

    private static StoreParts Parts(string environment)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return new StoreParts { Variable = variables.GetValueOrDefault };
    }
}
