using System.Management.Automation;
using System.Text;

namespace Sisyphus.Host;

/// <summary>Lets an <see cref="Encoding"/> parameter take a name.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TextEncodingAttribute : ArgumentTransformationAttribute
{
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
        {
            Encoding encoding => encoding,
            var name => TextEncodings.Find(LanguagePrimitives.ConvertTo<string>(name)),
        };
}
