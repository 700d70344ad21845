using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.S3;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>The SDK's client, that also sends what it signs when a key begins with a slash.</summary>
internal sealed class S3Client(AWSCredentials credentials, AmazonS3Config config) : AmazonS3Client(credentials, config)
{
    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        base.CustomizeRuntimePipeline(pipeline);
        pipeline.AddHandlerAfter<Signer>(new LeadingSlash());
    }

    // The SDK composes "http://host/bucket" and "/key" to ".../bucket/key", which is another object's address; behind an address that ends with a slash it leaves the key alone.
    private sealed class LeadingSlash : PipelineHandler
    {
        public override Task<T> InvokeAsync<T>(IExecutionContext executionContext)
        {
            var request = executionContext.RequestContext.Request;
            if (request.PathResources.Values.Any(key => key.StartsWith('/')) && !request.Endpoint.AbsoluteUri.EndsWith('/'))
                request.Endpoint = new Uri(request.Endpoint.AbsoluteUri + "/");
            return base.InvokeAsync<T>(executionContext);
        }
    }
}
