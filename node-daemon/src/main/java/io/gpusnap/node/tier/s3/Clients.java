package io.gpusnap.node.tier.s3;

import java.net.InetAddress;
import java.net.URI;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.apache5.ProxyConfiguration;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;

/**
 * The SDK's client as we want it: it asks once ({@link Attempts} asks again), each call has a deadline, it connects to allowed
 * addresses only, follows no redirect to another host or region, and takes nothing from configuration files, proxies or metadata
 * services of the machine.
 */
final class Clients {

    private Clients() {}

    static S3Client of(S3Settings settings) {
        return of(settings, InetAddress::getAllByName);
    }

    static S3Client of(S3Settings settings, CheckedNames.Lookup lookup) {
        S3ClientBuilder builder = S3Client.builder()
                .httpClientBuilder(Apache5HttpClient.builder()
                        .maxConnections(2 * settings.connections())
                        .connectionTimeout(settings.deadline())
                        .socketTimeout(settings.deadline())
                        .proxyConfiguration(ProxyConfiguration.builder()
                                .useSystemPropertyValues(false)
                                .useEnvironmentVariableValues(false)
                                .build())
                        .dnsResolver(new CheckedNames(settings.addresses(), lookup)))
                .overrideConfiguration(override -> override.apiCallTimeout(settings.deadline())
                        .apiCallAttemptTimeout(settings.deadline())
                        .retryStrategy(AwsRetryStrategy.doNotRetry())
                        .defaultProfileFile(ProfileFile.aggregator().build()))
                .credentialsProvider(credentials(settings))
                .region(Region.of(settings.region()))
                .crossRegionAccessEnabled(false)
                // A body is memory here, and can be read twice: cut up, each piece of it would be copied for its
                // signature,
                // and some stores keep the pieces' headers as content.
                .serviceConfiguration(service -> service.chunkedEncodingEnabled(false))
                .forcePathStyle(settings.pathStyle());
        switch (settings.checksums()) {
            case WHEN_REQUIRED ->
                builder.requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
            case WHEN_SUPPORTED ->
                builder.requestChecksumCalculation(RequestChecksumCalculation.WHEN_SUPPORTED)
                        .responseChecksumValidation(ResponseChecksumValidation.WHEN_SUPPORTED);
        }
        settings.endpoint().ifPresent(builder::endpointOverride);
        return builder.build();
    }

    private static AwsCredentialsProvider credentials(S3Settings settings) {
        return settings.credentials()
                .<AwsCredentialsProvider>map(known -> StaticCredentialsProvider.create(known.sessionToken()
                        .<software.amazon.awssdk.auth.credentials.AwsCredentials>map(token ->
                                AwsSessionCredentials.create(known.accessKeyId(), known.secretAccessKey(), token))
                        .orElseGet(() -> AwsBasicCredentials.create(known.accessKeyId(), known.secretAccessKey()))))
                .orElseGet(EnvironmentVariableCredentialsProvider::create);
    }

    /** @throws IllegalArgumentException when it is no address of a store */
    static URI checked(URI endpoint) {
        boolean web = "http".equals(endpoint.getScheme()) || "https".equals(endpoint.getScheme());
        if (!web || endpoint.getHost() == null || endpoint.getUserInfo() != null || endpoint.getQuery() != null) {
            throw new IllegalArgumentException(
                    "s3.endpoint is an address such as https://s3.example.org, not " + endpoint);
        }
        return endpoint;
    }
}
