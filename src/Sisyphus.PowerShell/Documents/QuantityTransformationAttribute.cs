using System.Globalization;
using System.Management.Automation;
using System.Xml;

namespace Sisyphus.PowerShell.Documents;

/// <summary>Takes a size or a duration as a number, as text that a document may hold (<c>512MiB</c>, <c>90m</c>) or as a <see cref="TimeSpan"/>.</summary>
/// <remarks>An unquoted <c>512MB</c> is PowerShell's number 536870912; bound to a string it would arrive as its source text, which in a document means 512,000,000.</remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class QuantityTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object inputData) => PowerShellValue.Unwrap(inputData) switch
    {
        TimeSpan time => XmlConvert.ToString(time),
        IFormattable number and (int or long or double or decimal) => number.ToString(null, CultureInfo.InvariantCulture),
        _ => inputData,
    };
}
