from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='generation',
            name='watched_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='watched from elsewhere'),
        ),
    ]
