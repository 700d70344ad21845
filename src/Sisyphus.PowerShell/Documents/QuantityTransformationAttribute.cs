using System.Management.Automation;
using System.Xml;

namespace Sisyphus.PowerShell.Documents;

/// <summary>Takes a size or a duration as a number (<c>512MB</c>, <c>90</c>), as text that a document may hold (<c>512MiB</c>, <c>90m</c>) or as a <see cref="TimeSpan"/>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class QuantityTransformationAttribute : ArgumentTransformationAttribute
{
    public override object? Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        PowerShellValue.Unwrap(inputData) is TimeSpan time ? XmlConvert.ToString(time) : inputData;
}
