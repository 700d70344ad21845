using System.Management.Automation;

using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Settings;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;
using Sisyphus.PowerShell.Running;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Start, "SisyphusNode", SupportsShouldProcess = true)]
[OutputType(typeof(TaskResult), typeof(Job))]
public sealed class StartSisyphusNodeCommand : RunningCommand
{
    private NodeHost? _host;

    [Parameter(Position = 0)]
    [Alias("Node")]
    public string? Name { get; set; }

    [Parameter]
    [ValidateRange(1, TaskRunnerOptions.MaxConcurrency)]
    public int Concurrency { get; set; } = TaskRunnerOptions.DefaultConcurrency;

    [Parameter]
    public string[] Workflow { get; set; } = [];

    [Parameter]
    [QuantityTransformation]
    public string? IdleTimeout { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? MaxTasks { get; set; }

    [Parameter]
    [Alias("Cpus")]
    [ValidateRange(0.01, 100_000)]
    public double? Cpu { get; set; }

    [Parameter]
    [QuantityTransformation]
    public string? Memory { get; set; }

    [Parameter]
    [QuantityTransformation]
    public string? LeaseTime { get; set; }

    [Parameter]
    public string? Broker { get; set; }

    [Parameter]
    [Credential]
    public PSCredential? Credential { get; set; }

    [Parameter]
    public SwitchParameter AsJob { get; set; }

    protected override void EndProcessing()
    {
        var settings = this.ResolveSettings(Layer with { Broker = this.BrokerAddress(Broker), Node = Name });
        var options = Options(settings);
        var lease = this.Duration(LeaseTime, nameof(LeaseTime), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        var broker = AddressSecrets.Hide(settings.Broker);
        if (!ShouldProcess($"Run node {settings.Node} on {broker}.", $"Run node {settings.Node} on {broker}?", "Start-SisyphusNode"))
            return;
        _host = CreateHost(settings, options, lease);
        if (AsJob)
            StartJob(settings);
        else
            Run(settings.Node);
    }

    protected override void StopProcessing()
    {
        base.StopProcessing();
        _host?.Node.Drain();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _host?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }

    private void StartJob(SessionSettings settings)
    {
        // The line is kept with the job, and may have the address in it.
        var line = string.IsNullOrEmpty(Broker) ? MyInvocation.Line : MyInvocation.Line.Replace(Broker, AddressSecrets.Hide(Broker), StringComparison.Ordinal);
        var job = new NodeJob(line.Trim(), settings.Node, _host!);
        // The job's to dispose from here on.
        _host = null;
        JobRepository.Add(job);
        WriteObject(job);
    }

    private void Run(string name)
    {
        var node = _host!.Node;
        var writer = new NodeEventWriter(this, name, this.IsVerbose());
        using var signals = new NodeSignals(node, message => Host.UI.WriteWarningLine(message));
        var running = node.RunAsync(CancellationToken.None);
        var isOver = false;
        try
        {
            // Not by the stop token: after a stop the running tasks are waited for.
            while (node.Events.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
            {
                while (node.Events.TryRead(out var happened))
                    WriteUnlessStopping(writer, happened);
            }
            isOver = true;
        }
        finally
        {
            // Whatever ended the pipeline, no container may outlive it.
            if (!isOver)
            {
                node.Abandon();
                running.ContinueWith(_ => { }, TaskScheduler.Default).GetAwaiter().GetResult();
            }
        }
        WaitOrEnd(Finish(running));
        if (!Stopping)
            writer.CompleteProgress();
    }

    /// <summary>Nothing can be written to a pipeline that is stopping; the tasks of a node that drains end all the same.</summary>
    private void WriteUnlessStopping(NodeEventWriter writer, NodeEvent happened)
    {
        if (Stopping)
            return;
        try
        {
            writer.Write(happened);
        }
        catch (PipelineStoppedException) when (Stopping)
        {
            // Stopped between the question and the writing.
        }
    }

    private static async Task<bool> Finish(Task running)
    {
        await running.ConfigureAwait(false);
        return true;
    }

    private NodeOptions Options(SessionSettings settings)
    {
        var options = new NodeOptions
        {
            Tasks = RunnerOptions(settings, Concurrency),
            Workflows = Workflow,
            IdleTimeout = this.Duration(IdleTimeout, nameof(IdleTimeout), TimeSpan.Zero, TimeSpan.FromDays(30)),
            MaxTasks = MaxTasks,
            Cpus = Cpu,
            ReportOutput = this.IsVerbose(),
        };
        try
        {
            if (Memory is not null)
                options.Memory = SizeText.Parse(Memory);
            options.Validate();
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            ThrowTerminatingError(ErrorRecords.InvalidSetting(e, (e as ArgumentException)?.ParamName ?? Memory));
        }
        return options;
    }

    private NodeHost CreateHost(SessionSettings settings, NodeOptions options, TimeSpan? lease)
    {
        var stores = this.OpenStores(settings);
        try
        {
            var engine = DockerContainerEngine.Connect(settings.Engine);
            var queue = this.OpenQueue(settings, Credential, new QueueOptions { LeaseTime = lease ?? QueueOptions.DefaultLeaseTime });
            return new NodeHost(queue, engine, new Node(queue, engine, stores, options));
        }
        catch (TaskFailureException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(settings.Engine));
            throw;
        }
    }
}
