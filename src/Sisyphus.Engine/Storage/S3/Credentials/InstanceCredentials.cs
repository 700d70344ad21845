using Amazon.Runtime;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>The role of the EC2 instance, of which the SDK asks the instance's metadata server as soon as it is named: here only when it is used.</summary>
internal sealed class InstanceCredentials : AWSCredentials
{
    private readonly Lazy<InstanceProfileAWSCredentials> _found = new(() => new InstanceProfileAWSCredentials(), LazyThreadSafetyMode.PublicationOnly);

    public override ImmutableCredentials GetCredentials() => _found.Value.GetCredentials();

    public override Task<ImmutableCredentials> GetCredentialsAsync() => Task.Run(() => _found.Value.GetCredentialsAsync());
}
